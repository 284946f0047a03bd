// SPDX-License-Identifier: Apache-2.0
// Two looks into values of others that the readers of codec share. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/tree.h"

namespace tanist::store {

// Null when the text is no JSON.
inline Tree json_or_null(const std::string& text) { return parse_json(text).value_or(Tree()); }

// The string under `name`; empty when there is none or it is of another type.
inline std::string text_of(const Tree& object, std::string_view name) {
  const auto* value = object.find(name);
  const auto* text = value != nullptr ? value->as_string() : nullptr;
  return text != nullptr ? *text : std::string();
}

}  // namespace tanist::store
