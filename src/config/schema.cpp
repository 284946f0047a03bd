// SPDX-License-Identifier: Apache-2.0
// Look-ups in the table of options. Any thread.
#include "config/schema.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "config/schema_table.h"

namespace tanist::config {

namespace {

std::string replaced(std::string text, std::string_view mark, std::string_view value) {
  const auto at = text.find(mark);
  return at == std::string::npos ? text : text.replace(at, mark.size(), value);
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

constexpr std::array<std::string_view, 3> users{"superuser", "replication", "rewind"};
constexpr std::array<std::string_view, 3> roles{"primary", "replica", "standby_leader"};

bool has_mark(const Option& row, std::string_view mark) {
  return row.path.find(mark) != std::string::npos;
}

void add_expanded(std::vector<Option>& out, const Option& row) {
  if (has_mark(row, "{user}")) {
    for (const auto user : users) {
      auto& one = out.emplace_back(row);
      one.path = replaced(one.path, "{user}", user);
      one.env = replaced(one.env, "{USER}", upper(user));
      if (user == "rewind") one.required = false;
    }
  } else if (has_mark(row, "{role}")) {
    for (const auto role : roles) {
      auto& one = out.emplace_back(row);
      one.path = replaced(one.path, "{role}", role);
    }
  } else {
    out.push_back(row);
  }
}

// Derived look-up tables for one of the two documents.
struct Index {
  std::map<std::string, const Option*, std::less<>> by_path;
  std::map<std::string, std::set<std::string>, std::less<>> below;  // section -> names in it
};

void add_to_index(Index& index, const Option& option) {
  index.by_path.emplace(option.path, &option);
  std::size_t start = 0;
  while (start <= option.path.size()) {
    const auto dot = std::min(option.path.find('.', start), option.path.size());
    const auto section = start == 0 ? std::string() : option.path.substr(0, start - 1);
    index.below[section].insert(option.path.substr(start, dot - start));
    start = dot + 1;
  }
}

// Rows that count in a document come before those that are only known there.
Index make_index(bool dynamic) {
  Index index;
  const auto counts = [&](const Option& option) {
    return dynamic ? option.is_dynamic() : option.is_local();
  };
  for (const auto& option : options()) {
    if (counts(option)) add_to_index(index, option);
  }
  for (const auto& option : options()) index.by_path.emplace(option.path, &option);
  return index;
}

const Index& index_of(bool dynamic) {
  static const Index local = make_index(false);
  static const Index shared = make_index(true);
  return dynamic ? shared : local;
}

}  // namespace

const std::vector<Option>& options() {
  static const std::vector<Option> all = [] {
    std::vector<Option> out;
    for (const auto& row : option_rows()) add_expanded(out, row);
    return out;
  }();
  return all;
}

const Option* find_option(std::string_view path, bool dynamic) {
  const auto& index = index_of(dynamic).by_path;
  const auto at = index.find(path);
  return at == index.end() ? nullptr : at->second;
}

bool is_section(std::string_view path, bool dynamic) {
  return index_of(dynamic).below.contains(path);
}

std::vector<std::string> names_below(std::string_view path, bool dynamic) {
  const auto& below = index_of(dynamic).below;
  const auto at = below.find(path);
  if (at == below.end()) return {};
  return {at->second.begin(), at->second.end()};
}

const std::vector<ForeignSection>& foreign_sections() {
  static const std::vector<ForeignSection> sections{
      {"citus", false, "Citus clusters"},         {"consul", true, "Consul"},
      {"etcd", true, "the etcd v2 API"},          {"exhibitor", true, "Exhibitor"},
      {"kubernetes", true, "Kubernetes objects"}, {"raft", true, "the built-in Raft"},
      {"zookeeper", true, "ZooKeeper"},
  };
  return sections;
}

}  // namespace tanist::config
