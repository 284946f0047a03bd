// SPDX-License-Identifier: Apache-2.0
// One section of a configuration tree, read value by value with defaults. What has the wrong type
// counts as absent (findings.h tells of it once). Values; any thread. Keeps pointers to the tree.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/tree.h"

namespace tanist::config {

class Section {
 public:
  // `tree` may be null: an empty section.
  explicit Section(const Tree* tree) : tree_(tree) {}

  // Null values count as absent.
  const Tree* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  Section section(std::string_view key) const { return Section(find(key)); }

  // A scalar in Python's text form.
  std::string text(std::string_view key, std::string_view fallback = "") const;
  // The first of the names that holds a text.
  std::string text_of_either(std::string_view key, std::string_view old_key) const;
  Secret secret(std::string_view key) const { return Secret(text(key)); }
  bool flag(std::string_view key, bool fallback) const;
  // `unit`: what a number without one counts in.
  std::int64_t integer(std::string_view key, std::int64_t fallback,
                       std::string_view unit = "") const;
  // Items of a list in text form; a text is split at its commas when `splits`, else one item.
  std::vector<std::string> texts(std::string_view key, bool splits = false) const;
  // Scalars of a map in text form.
  std::map<std::string, std::string> text_map(std::string_view key) const;
  // The map or list under the key; null otherwise.
  Tree collection(std::string_view key) const;

 private:
  const Tree* tree_;
};

}  // namespace tanist::config
