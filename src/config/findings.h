// SPDX-License-Identifier: Apache-2.0
// What the schema has to say about a document: keys nobody knows, values nobody can use, options
// in a place where they do not count. Texts name keys, never values. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/tree.h"
#include "config/schema.h"

namespace tanist::config {

struct Finding {
  std::string path;
  std::string text;
};

// Of the local file, its bootstrap.dcs included.
std::vector<Finding> findings_in_local(const Tree& local);

// Of the store's document: values of a wrong type only, for unknown keys are kept there.
std::vector<Finding> findings_in_dynamic(const Tree& dynamic);

// True when the readers can make something of `value`.
bool is_usable(Kind kind, const Tree& value);

// "an integer", "a list", ...
std::string_view description_of(Kind kind);

}  // namespace tanist::config
