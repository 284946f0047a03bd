// SPDX-License-Identifier: Apache-2.0
// The changes of a member's role, as rows: what may become what, and when. The rules themselves are
// in digest (what is observed) and in the steps of long actions (what is done); a test holds them
// against these rows, and docs/reference/roles.md is printed from them. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/types.h"

namespace tanist {

struct RoleRow {
  Role from;
  Role to;
  std::string_view when;
};

std::span<const RoleRow> role_rows();

// A row leads from one to the other.
bool is_role_change(Role from, Role to);

// docs/reference/roles.md, whole.
std::string role_document();

}  // namespace tanist
