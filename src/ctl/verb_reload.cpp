// SPDX-License-Identifier: Apache-2.0
// `reload`: members read their configuration files anew (contract ctl 4.5).
#include "base/format.h"
#include "ctl/cluster.h"
#include "ctl/member_table.h"
#include "ctl/members.h"
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
  return format_text("Failed: reload for member {}, status code={}, ({})", name, answer.status,
                     answer.body);
}

}  // namespace

Result<void> reload(const ToolConfig& config, const ReloadOptions& options) {
  auto cluster = Cluster::open(config, options.cluster);
  if (!cluster) return pass_on(cluster.error());
  auto members = Members::make(config);
  if (!members) return pass_on(members.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  const auto any = select_members(*reading, options.role, {});
  if (!any) return pass_on(any.error());
  print(member_table_text(*reading));
  const auto chosen = select_members(*reading, options.role, options.members);
  if (!chosen) return pass_on(chosen.error());
  if (!options.force) {
    const auto agreed = demand_consent(
        format_text("Are you sure you want to reload members {}?", names_text(*chosen)),
        "Aborted reload");
    if (!agreed) return agreed;
  }
  for (const auto* member : *chosen) {
    const auto answer = members->ask(*member, {.method = "POST", .path = "/reload"});
    if (!answer) return pass_on(answer.error());
    print_line(reload_line(*answer, *member, *reading));
  }
  return {};
}

}  // namespace tanist::ctl
