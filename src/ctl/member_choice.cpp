// SPDX-License-Identifier: Apache-2.0
// Choosing of members on the terminal.
#include "ctl/member_choice.h"

#include "base/format.h"
#include "ctl/member_table.h"
#include "ctl/terminal.h"

namespace tanist::ctl {

Result<Selection> choose_members(const Reading& cluster, MemberRole role,
                                 const std::vector<std::string>& names) {
  if (names.empty()) {
    auto all = select_members(cluster, role, {});
    if (all) print(member_table_text(cluster));
    return all;
  }
  print(member_table_text(cluster));
  return select_members(cluster, role, names);
}

Result<void> agree_on_members(const Selection& members, std::string_view action, bool force) {
  if (force) return {};
  return demand_consent(
      format_text("Are you sure you want to {} members {}?", action, names_text(members)),
      format_text("Aborted {}", action));
}

std::string refusal_line(std::string_view action, const MemberView& member,
                         const rest::Answer& answer) {
  return format_text("Failed: {} for member {}, status code={}, ({})", action, member.name.value(),
                     answer.status, answer.body);
}

}  // namespace tanist::ctl
