// SPDX-License-Identifier: Apache-2.0
// The value of synchronous_standby_names: reading what a server works with, writing what it is to
// work with (contract ha 16.2; trap 74). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace tanist {

struct StandbyNames {
  enum class Kind {
    none,      // empty: commits wait for nobody
    priority,  // the first `count` of the connected ones
    quorum,    // ANY `count`
    foreign,   // a wildcard, or nothing that can be read: promises nothing
  };
  Kind kind = Kind::none;
  std::int64_t count = 0;
  std::vector<MemberName> names;

  // Every commit waits for all of them.
  bool requires_all() const { return count >= static_cast<std::int64_t>(names.size()); }

  friend constexpr auto names_of(Kind) {
    return std::array{
        EnumName<Kind>{Kind::none, "none"}, EnumName<Kind>{Kind::priority, "priority"},
        EnumName<Kind>{Kind::quorum, "quorum"}, EnumName<Kind>{Kind::foreign, "foreign"}};
  }
  friend bool operator==(const StandbyNames&, const StandbyNames&) = default;
};

// All processes of a server have read a new value after this long (contract ha 3): the
// checkpointer, which tells the others whether commits wait at all, among them.
inline constexpr Duration standby_names_settle = milliseconds(100);

// Never fails: what PostgreSQL would not accept is `foreign`.
StandbyNames parse_standby_names(std::string_view text);

// Names sorted, quoted where they must be; empty for none. Requires: not foreign.
std::string to_text(const StandbyNames& value);

}  // namespace tanist
