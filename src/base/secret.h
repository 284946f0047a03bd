// SPDX-License-Identifier: Apache-2.0
// A password or key phrase. It has no text form: neither logs, journals nor stories can show it.
// Any thread.
#pragma once

#include <string>
#include <utility>

#include "base/tree.h"

namespace tanist {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  bool empty() const { return value_.empty(); }
  // The clear text, for the one place that hands it to a library or writes a 0600 file.
  const std::string& reveal() const { return value_; }

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

}  // namespace tanist
