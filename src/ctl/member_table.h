// SPDX-License-Identifier: Apache-2.0
// The table of a cluster's members, with its title and what is written below it (contract ctl 3).
// Pure; any thread.
#pragma once

#include <string>

#include "ctl/reading.h"
#include "ctl/table.h"

namespace tanist::ctl {

struct MemberTableStyle {
  Format format = Format::pretty;
  bool extended = false;  // the last four columns even if they are empty
  bool as_tree = false;   // `topology`: who streams from whom
  // Called as patronictl: nothing that patronictl does not print.
  bool as_patronictl = false;
};

// Everything that is printed for one cluster, line breaks included.
std::string member_table_text(const Reading& cluster, const MemberTableStyle& style = {});

}  // namespace tanist::ctl
