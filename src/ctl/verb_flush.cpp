// SPDX-License-Identifier: Apache-2.0
// `flush`: what was scheduled is discarded (contract ctl 4.9).
#include "base/format.h"
#include "ctl/member_choice.h"
#include "ctl/session.h"
#include "ctl/terminal.h"
#include "ctl/times.h"
#include "ctl/verbs.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

Result<void> flush_restart(Members& members, const MemberView& member) {
  const auto* scheduled = member.data->find("scheduled_restart");
  if (scheduled == nullptr || !scheduled->truthy()) {
    print_line("No scheduled restart for member " + member.name.value());
    return {};
  }
  const auto answer = members.ask(member, {.method = "DELETE", .path = "/restart"});
  if (!answer) return pass_on(answer.error());
  print_line(answer->status == 200
                 ? "Success: flush scheduled restart for member " + member.name.value()
                 : refusal_line("flush scheduled restart", member, *answer));
  return {};
}

Result<void> flush_restarts(Session& session, const FlushOptions& options) {
  const auto chosen = choose_members(session.reading, options.role, options.members);
  if (!chosen) return pass_on(chosen.error());
  const auto agreed = agree_on_members(*chosen, "flush", options.force);
  if (!agreed) return agreed;
  for (const auto* member : *chosen) {
    const auto done = flush_restart(session.members, *member);
    if (!done) return done;
  }
  return {};
}

// True when the member's answer settles the matter.
bool flush_switchover_at(Members& members, const MemberView& member) {
  const auto answer = members.ask(member, {.method = "DELETE", .path = "/switchover"});
  if (!answer) {
    warn(answer.error().message);
    warn(format_text("Member {} is not accessible", member.name.value()));
    return false;
  }
  if (answer->status == 200) print_line("Success: scheduled switchover deleted");
  if (answer->status == 404) print_line("Failed: no switchover is scheduled");
  if (answer->status == 200 || answer->status == 404) return true;
  print_line(format_text("Failed: member={}, status_code={}, ({})", member.name.value(),
                         answer->status, answer->body));
  return false;
}

Result<void> flush_switchover(Session& session) {
  const auto& view = *session.reading.view;
  if (!view.failover || view.failover->scheduled_text.empty()) {
    print_line("No pending scheduled switchover");
    return {};
  }
  for (const auto* member : leader_first(view)) {
    if (!member->api_url.empty() && flush_switchover_at(session.members, *member)) return {};
  }
  warn("Failing over to DCS");
  print_line(format_text("{} Could not find any accessible member of cluster {}",
                         result_time_text(os::wall_now()), session.reading.scope));
  const auto cleared =
      session.cluster.commit({.expect = {{StoreKey::failover, view.failover->revision}},
                              .writes = {{StoreKey::failover, "{}"}}});
  // Somebody else has dealt with it meanwhile.
  if (!cleared && cleared.error().code != Errc::refused) return pass_on(cleared.error());
  return {};
}

}  // namespace

Result<void> flush(const ToolConfig& config, const FlushOptions& options) {
  auto session = Session::open(config, options.cluster);
  if (!session) return pass_on(session.error());
  return options.restarts ? flush_restarts(*session, options) : flush_switchover(*session);
}

}  // namespace tanist::ctl
