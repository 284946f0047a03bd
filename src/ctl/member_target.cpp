// SPDX-License-Identifier: Apache-2.0
// Choosing of one member. Pure; any thread.
#include "ctl/member_target.h"

namespace tanist::ctl {

Result<void> check_target(const TargetOptions& target) {
  if (!target.role || !target.member) return {};
  return fail(Errc::invalid, "--role and --member are mutually exclusive options");
}

std::optional<Upstream> address_of_target(const Reading& cluster, const TargetOptions& target) {
  const auto role = target.role.value_or(target.member ? MemberRole::any : MemberRole::leader);
  for (const auto& [name, member] : cluster.view->members) {
    if (!has_role(*cluster.view, member, role)) continue;
    if (target.member && *target.member != name.value()) continue;
    return upstream_of(member);
  }
  return std::nullopt;
}

}  // namespace tanist::ctl
