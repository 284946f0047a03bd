// SPDX-License-Identifier: Apache-2.0
// `reload`: members read their configuration files anew (contract ctl 4.5).
#include "base/format.h"
#include "ctl/member_choice.h"
#include "ctl/session.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

namespace {

std::string reload_line(const rest::Answer& answer, const MemberView& member,
                        const Reading& reading) {
  const auto& name = member.name.value();
  if (answer.status == 200) return format_text("No changes to apply on member {}", name);
  if (answer.status == 202) {
    return format_text(
        "Reload request received for member {} and will be processed within {} seconds", name,
        reading.settings.timing.loop_wait.count());
  }
  return refusal_line("reload", member, answer);
}

}  // namespace

Result<void> reload(const ToolConfig& config, const ReloadOptions& options) {
  auto session = Session::open(config, options.cluster);
  if (!session) return pass_on(session.error());
  const auto chosen = choose_members(session->reading, options.role, options.members);
  if (!chosen) return pass_on(chosen.error());
  const auto agreed = agree_on_members(*chosen, "reload", options.force);
  if (!agreed) return agreed;
  for (const auto* member : *chosen) {
    const auto answer = session->members.ask(*member, {.method = "POST", .path = "/reload"});
    if (!answer) return pass_on(answer.error());
    print_line(reload_line(*answer, *member, session->reading));
  }
  return {};
}

}  // namespace tanist::ctl
