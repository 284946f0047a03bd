// SPDX-License-Identifier: Apache-2.0
// What is wrong with a topology file, collected so that its author sees all of it at once. One
// line each: FILE:LINE: key: what is wrong; remedy. Owned by one reader; no locking.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tanist::provision {

class Findings {
 public:
  // `lines`: dotted path -> line, as yaml/yaml.h gives it. Both must outlive this object.
  Findings(std::string file, const std::map<std::string, int>& lines)
      : file_(std::move(file)), lines_(lines) {}

  // `path` is dotted ("nodes.0.address"); `text` says what is wrong and, after "; ", the remedy.
  void add(const std::string& path, std::string_view text);

  // True when the file has this path.
  bool has(const std::string& path) const { return lines_.contains(path); }
  // The line of `path`, or of the nearest enclosing key that has one; 1 otherwise.
  int line_of(std::string path) const;

  bool empty() const { return texts_.empty(); }
  // All findings as one error of several lines, in the file's order. Requires: not empty().
  Error error() const;

 private:
  std::string file_;
  const std::map<std::string, int>& lines_;
  std::multimap<int, std::string> texts_;
};

// The candidate that `word` was probably meant to be, or "" when none is close enough.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tanist::provision
