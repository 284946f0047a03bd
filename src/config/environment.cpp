// SPDX-License-Identifier: Apache-2.0
// Reading of environment variables by the schema.
#include "config/environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/format.h"
#include "config/address.h"
#include "config/schema.h"
#include "core/cluster_settings.h"
#include "yaml/yaml.h"

namespace tanist::config {

namespace {

constexpr std::string_view prefix = "PATRONI_";

struct Alias {
  std::string_view old_name;
  std::string_view name;
};

// Counts only when the new name is unset.
constexpr std::array<Alias, 3> aliases{{{"PATRONI_LOGLEVEL", "PATRONI_LOG_LEVEL"},
                                        {"PATRONI_LOGFORMAT", "PATRONI_LOG_FORMAT"},
                                        {"PATRONI_LOG_DATEFMT", "PATRONI_LOG_DATEFORMAT"}}};

// A YAML list or map whose brackets may be left out.
std::optional<Tree> flow_value(const std::string& text, char open, char close) {
  const auto first = text.find_first_not_of(" \t\n");
  const bool bracketed = first != std::string::npos && text[first] == open;
  auto document = yaml::parse_yaml(bracketed ? text : open + text + close, "environment");
  if (!document) return std::nullopt;
  const bool fits = open == '[' ? document->tree.is_list() : document->tree.is_map();
  return fits ? std::optional(std::move(document->tree)) : std::nullopt;
}

// A template names its fields; anything else is a list.
std::optional<Tree> format_value(const std::string& text) {
  return text.find("%(") != std::string::npos ? Tree(text) : flow_value(text, '[', ']');
}

template <class T>
std::optional<Tree> as_tree(const std::optional<T>& value) {
  return value ? std::optional<Tree>(*value) : std::nullopt;
}

std::optional<Tree> parsed(const Option& option, const std::string& text) {
  switch (option.kind) {
    case Kind::integer: return as_tree(int_with_unit(Tree(text), ""));
    case Kind::boolean: return as_tree(to_bool(Tree(text)));
    case Kind::map: return flow_value(text, '{', '}');
    case Kind::texts: return flow_value(text, '[', ']');
    case Kind::texts_or_string:  // [::1]:2379 begins like a list and is none
      if (auto list = flow_value(text, '[', ']')) return list;
      return Tree(text);
    case Kind::any: return format_value(text);
    case Kind::text:
    case Kind::quantity:
    case Kind::program_options: return Tree(text);
  }
  return std::nullopt;
}

void put(Tree& tree, std::string_view path, Tree value) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    tree.set(path, std::move(value));
    return;
  }
  const auto section = path.substr(0, dot);
  auto* below = tree.find(section);
  if (below == nullptr) below = &tree.set(section, Tree::map());
  put(*below, path.substr(dot + 1), std::move(value));
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

class EnvironmentReader {
 public:
  explicit EnvironmentReader(const Environment& environment) : environment_(environment) {}

  EnvironmentTree read() {
    for (const auto& option : options()) {
      if (!option.env.empty()) variable(option);
    }
    drop_lone_etcd_credentials();
    for (const auto& section : foreign_sections()) foreign(section.name);
    tell_unknown();
    return std::move(out_);
  }

 private:
  const std::string* value_of(const std::string& name) {
    const auto* alias = std::ranges::find(aliases, name, &Alias::name);
    const std::string old_name(alias != aliases.end() ? alias->old_name : "");
    known_.insert({name, old_name});
    auto at = environment_.find(name);
    if (at == environment_.end()) at = environment_.find(old_name);
    return at == environment_.end() ? nullptr : &at->second;
  }

  void variable(const Option& option) {
    const auto* text = value_of(option.env);
    if (text == nullptr) return;
    // Empty text overrides the file in the stores' sections only.
    if (text->empty() && !(option.path.starts_with("etcd3.") && option.kind == Kind::text)) return;
    auto value = parsed(option, *text);
    if (!value) {
      out_.warnings.push_back(format_text(
          "environment variable {} cannot be read as {}; it is ignored", option.env, option.path));
      return;
    }
    put(out_.tree, option.path, std::move(*value));
    out_.where[option.path] = option.env;
  }

  // Username and password alone do not make a section.
  void drop_lone_etcd_credentials() {
    const auto* etcd = out_.tree.find("etcd3");
    const auto* map = etcd != nullptr ? etcd->as_map() : nullptr;
    if (map == nullptr) return;
    const bool lone = std::ranges::all_of(*map, [](const Tree::Entry& entry) {
      return entry.first == "username" || entry.first == "password";
    });
    if (lone) out_.tree.erase("etcd3");
  }

  // Sections we do not support: enough to notice that they are wanted.
  void foreign(std::string_view section) {
    const auto start = std::string(prefix) + upper(section) + "_";
    for (auto at = environment_.lower_bound(start);
         at != environment_.end() && at->first.starts_with(start); ++at) {
      if (known_.contains(at->first)) continue;
      known_.insert(at->first);
      const auto path = format_text("{}.{}", section, lower(at->first.substr(start.size())));
      put(out_.tree, path, Tree(at->second));
      out_.where[path] = at->first;
    }
  }

  void tell_unknown() {
    known_.insert("PATRONI_CONFIGURATION");
    for (const auto& [name, value] : environment_) {
      if (name.starts_with(prefix) && !known_.contains(name)) {
        out_.warnings.push_back(
            format_text("environment variable {} is unknown; it is ignored", name));
      }
    }
  }

  const Environment& environment_;
  std::set<std::string> known_;
  EnvironmentTree out_;
};

}  // namespace

Environment take_environment() {
  Environment taken;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = entry.substr(0, equals);
    if (name.starts_with(prefix) || name == "TANIST_GUARD") {
      taken[std::string(name)] = entry.substr(equals + 1);
    }
  }
  for (const auto& [name, value] : taken) unsetenv(name.c_str());
  return taken;
}

EnvironmentTree tree_from(const Environment& environment) {
  return EnvironmentReader(environment).read();
}

}  // namespace tanist::config
