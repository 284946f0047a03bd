// SPDX-License-Identifier: Apache-2.0
// Which members a verb acts on: by role and by name (contract ctl 1.4). Pure; any thread.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ctl/reading.h"

namespace tanist::ctl {

// As `-r` takes it.
enum class MemberRole { leader, primary, standby_leader, replica, standby, any };

constexpr auto names_of(MemberRole) {
  using R = MemberRole;
  return std::array{EnumName<R>{R::leader, "leader"},
                    EnumName<R>{R::primary, "primary"},
                    EnumName<R>{R::standby_leader, "standby-leader"},
                    EnumName<R>{R::replica, "replica"},
                    EnumName<R>{R::standby, "standby"},
                    EnumName<R>{R::any, "any"}};
}

using Selection = std::vector<const MemberView*>;  // points into the view

bool has_role(const ClusterView& view, const MemberView& member, MemberRole role);

// Members of the role, by name; of `names` those that have it, others silently dropped.
// Errc::not_found in the contract's words when nobody is left.
Result<Selection> select_members(const Reading& cluster, MemberRole role,
                                 const std::vector<std::string>& names);

// "a1, a2"
std::string names_text(const Selection& members);

}  // namespace tanist::ctl
