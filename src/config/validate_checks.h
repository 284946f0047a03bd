// SPDX-License-Identifier: Apache-2.0
// The single checks of --validate-config: one value each, by its row of the schema. Messages are
// the contract's (config 10).
#pragma once

#include <string>
#include <vector>

#include "base/tree.h"
#include "config/schema.h"
#include "config/validate.h"

namespace tanist::config {

// What is wrong with a value, or with one of its items ("" = the value itself).
struct Complaint {
  std::string item;
  Tree value;
  std::string message;
};

struct CheckContext {
  const Tree& tree;  // the whole local configuration
  const ValidateOptions& options;
};

// `value` is never null, except of options whose absence is checked too (bin_dir).
std::vector<Complaint> complaints_about(const Option& option, const Tree& value,
                                        const CheckContext& context);

}  // namespace tanist::config
