// SPDX-License-Identifier: Apache-2.0
// YAML text to Tree and back, as PyYAML's safe loader and dumper do it (contract config 3): files
// written for Patroni read alike, and what the tool prints looks alike. Pure; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tree.h"

namespace tanist::yaml {

inline constexpr std::size_t yaml_bytes_max = 1024 * 1024;
// Values of one document, each use of an alias counted as a copy ("billion laughs").
inline constexpr std::size_t yaml_values_max = 200'000;

struct YamlDocument {
  Tree tree;
  // Dotted path ("etcd3.hosts.0") -> line, counted from 1. Paths too long to be options are absent.
  std::map<std::string, int> lines;
  std::vector<std::string> warnings;  // repeated keys: "NAME:LINE: ..."
};

// One document, by YAML 1.1 rules: `on` is true, 0644 is 420, 1:30 is 90, dates stay text, `<<`
// merges, the last of repeated keys wins. Keys that are no text become their JSON form. Integers
// beyond 64 bits stay text. An empty text is null.
// Errc::invalid, as "NAME:LINE:COLUMN: cause" with the remedy where there is an obvious one, for
// anything else: bad syntax, several documents, tags other than the basic ones, bytes that are no
// printable UTF-8, and whatever is larger or deeper than the limits. `name` is the file's, or what
// stands for it.
Result<YamlDocument> parse_yaml(std::string_view text, std::string_view name);

struct YamlStyle {
  bool flow = false;  // one line without a break: {a: b, c: [1, 2]}
  int width = 80;     // block style: where PyYAML folds long scalars; the tool's lists use 200
};

// Keys sorted, non-ASCII kept, a line break at the end; the text of PyYAML's
// safe_dump(default_flow_style=False, allow_unicode=True, width=...). With `flow` there is no line
// break at the end.
std::string to_yaml(const Tree& tree, const YamlStyle& style = {});

}  // namespace tanist::yaml
