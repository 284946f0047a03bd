// SPDX-License-Identifier: Apache-2.0
// Python's printf-style templates, "%(levelname)-8s %(message)s": reading one, and formatting a
// value by one conversion. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tree.h"

namespace tanist {

// %(name)[flags][width][.precision]conversion, or literal text when `name` is empty.
struct TemplatePart {
  std::string literal;
  std::string name;
  std::string flags;   // of "-+ 0#"
  int width = 0;       // at most 200
  int precision = -1;  // -1 = none
  char conversion = 's';

  friend bool operator==(const TemplatePart&, const TemplatePart&) = default;
};

// Errc::invalid when Python would refuse the template.
Result<std::vector<TemplatePart>> parse_template(std::string_view text);

// True when the conversion can take a value of this kind (Python raises otherwise).
bool fits(const TemplatePart& part, const Tree& value);

// `value` as the part wants it. What does not fit is written as text.
std::string converted(const TemplatePart& part, const Tree& value);

}  // namespace tanist
