// SPDX-License-Identifier: Apache-2.0
// What a plain (unquoted) scalar means by YAML 1.1, as PyYAML resolves it. Reader and writer share
// it: a text is quoted exactly when it would be read as something else. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/tree.h"

namespace tanist::yaml {

enum class ScalarKind {
  text,
  null,
  boolean,
  integer,
  real,
  timestamp,  // stays text when read, is quoted when written
  merge,      // <<
  value,      // =
};

ScalarKind kind_of_plain(std::string_view text);

// The value of a plain scalar. Numbers that do not fit (beyond 64 bits, "0x_") stay text.
Tree plain_value(std::string_view text);

// The values of explicit tags (!!bool, !!int, !!float), which also accept quoted texts; nothing
// when the text is none.
std::optional<bool> boolean_value(std::string_view text);
std::optional<std::int64_t> integer_value(std::string_view text);
std::optional<double> real_value(std::string_view text);

}  // namespace tanist::yaml
