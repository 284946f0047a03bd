// SPDX-License-Identifier: Apache-2.0
// The rows and their printed form. Pure; any thread.
// tidy: table
#include "core/role_table.h"

#include <algorithm>
#include <array>

#include "base/format.h"

namespace tanist {

namespace {

using R = Role;

constexpr std::string_view emptied = "no server runs and the data directory is empty";
constexpr std::string_view found_primary = "the server is found out of recovery";
constexpr std::string_view found_standby = "the server is found in recovery";
constexpr std::string_view leads_standbys =
    "the server is in recovery and this node holds the lock of a standby cluster";
constexpr std::string_view accepted = "the lock is held and the server has accepted to promote";
constexpr std::string_view gives_up = "the server is stopped or fenced, or its lock is given away";

constexpr std::array rows{
    RoleRow{R::uninitialized, R::replica,
            "a standby, or a server that does not answer yet, is found or was copied"},
    RoleRow{R::uninitialized, R::primary, found_primary},
    RoleRow{R::uninitialized, R::demoted,
            "a stopped server without standby.signal is found, as a crash leaves a primary"},
    RoleRow{R::uninitialized, R::standby_leader, leads_standbys},
    RoleRow{R::replica, R::promoted, accepted},
    RoleRow{R::replica, R::primary, found_primary},
    RoleRow{R::replica, R::standby_leader, leads_standbys},
    RoleRow{R::replica, R::demoted, gives_up},
    RoleRow{R::replica, R::uninitialized, emptied},
    RoleRow{R::promoted, R::primary, "recovery has ended"},
    RoleRow{R::promoted, R::replica, "the lock was lost before recovery ended"},
    RoleRow{R::promoted, R::standby_leader, leads_standbys},
    RoleRow{R::promoted, R::demoted, gives_up},
    RoleRow{R::promoted, R::uninitialized, emptied},
    RoleRow{R::primary, R::demoted, gives_up},
    RoleRow{R::primary, R::replica, found_standby},
    RoleRow{R::primary, R::standby_leader, leads_standbys},
    RoleRow{R::primary, R::uninitialized, emptied},
    RoleRow{R::demoted, R::replica, found_standby},
    RoleRow{R::demoted, R::primary, found_primary},
    RoleRow{R::demoted, R::standby_leader, leads_standbys},
    RoleRow{R::demoted, R::uninitialized, emptied},
    RoleRow{R::standby_leader, R::replica, "the lock or the standby cluster is gone"},
    RoleRow{R::standby_leader, R::promoted, accepted},
    RoleRow{R::standby_leader, R::primary, found_primary},
    RoleRow{R::standby_leader, R::demoted, gives_up},
    RoleRow{R::standby_leader, R::uninitialized, emptied},
};

constexpr std::string_view head = R"(# Roles

What a member publishes as `role`, and what may become what. Printed from `src/core/role_table.cpp`;
a test tries every pair against the decisions. A change that is not in the table does not happen.
One decision may take two rows: what is observed comes first, then what is done.

| from | to | when |
|---|---|---|
)";

}  // namespace

std::span<const RoleRow> role_rows() { return rows; }

bool is_role_change(Role from, Role to) {
  return std::ranges::any_of(rows,
                             [&](const RoleRow& row) { return row.from == from && row.to == to; });
}

std::string role_document() {
  std::string text(head);
  for (const auto& row : rows) {
    text += format_text("| `{}` | `{}` | {} |\n", name_of(row.from), name_of(row.to), row.when);
  }
  text += "\n```mermaid\nstateDiagram-v2\n";
  for (const auto& row : rows) {
    text += format_text("  {} --> {}\n", name_of(row.from), name_of(row.to));
  }
  return text + "```\n";
}

}  // namespace tanist
