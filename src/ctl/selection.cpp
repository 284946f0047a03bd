// SPDX-License-Identifier: Apache-2.0
// Selection of members. Pure; any thread.
#include "ctl/selection.h"

#include <algorithm>

namespace tanist::ctl {

bool has_role(const ClusterView& view, const MemberView& member, MemberRole role) {
  const bool leads = view.locked_by(member.name);
  switch (role) {
    case MemberRole::leader: return leads;
    case MemberRole::primary: return leads && member.role != Role::standby_leader;
    case MemberRole::standby_leader: return leads && member.role != Role::primary;
    case MemberRole::replica:
    case MemberRole::standby: return !leads;
    case MemberRole::any: return true;
  }
  return false;
}

Result<Selection> select_members(const Reading& cluster, MemberRole role,
                                 const std::vector<std::string>& names) {
  Selection of_role;
  for (const auto& [name, member] : cluster.view->members) {
    if (has_role(*cluster.view, member, role)) of_role.push_back(&member);
  }
  if (names.empty()) {
    if (!of_role.empty()) return of_role;
    return fail(Errc::not_found, "{} cluster doesn't have any members", cluster.scope);
  }
  std::erase_if(of_role, [&](const MemberView* member) {
    return std::ranges::count(names, member->name.value()) == 0;
  });
  if (!of_role.empty()) return of_role;
  return fail(Errc::not_found, "No '{}' among provided members", name_of(role));
}

std::string names_text(const Selection& members) {
  std::string out;
  for (const auto* member : members) out += (out.empty() ? "" : ", ") + member->name.value();
  return out;
}

}  // namespace tanist::ctl
