// SPDX-License-Identifier: Apache-2.0
// The walk through a document beside the schema. Pure; any thread.
#include "config/findings.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/format.h"
#include "config/section.h"
#include "core/cluster_settings.h"

namespace tanist::config {

namespace {

constexpr std::size_t findings_max = 100;
constexpr std::size_t key_length_max = 100;

std::string joined(std::string_view section, std::string_view key) {
  return section.empty() ? std::string(key) : format_text("{}.{}", section, key);
}

// Changes needed to make `a` of `b`: letters added, removed, replaced.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// A sibling that is spelled nearly the same.
std::optional<std::string> similar_name(std::string_view key, std::string_view section,
                                        bool dynamic) {
  if (key.size() > key_length_max) return std::nullopt;
  std::size_t best = std::min<std::size_t>(3, 1 + key.size() / 4);
  std::optional<std::string> found;
  for (const auto& name : names_below(section, dynamic)) {
    const auto distance = edit_distance(key, name);
    if (distance > best || (found && distance == best)) continue;
    best = distance;
    found = name;
  }
  return found;
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }

// The only other place of the name: most unknown keys are just indented wrongly.
std::optional<std::string> same_name_elsewhere(std::string_view key) {
  std::optional<std::string> found;
  for (const auto& option : options()) {
    if (option.legacy || last_part(option.path) != key) continue;
    if (found) return std::nullopt;
    found = option.is_local() ? option.path : "bootstrap.dcs." + option.path;
  }
  return found;
}

class Walk {
 public:
  Walk(bool dynamic, bool tells_unknown) : dynamic_(dynamic), tells_unknown_(tells_unknown) {}

  void document(const Tree& root, std::string prefix) {
    prefix_ = std::move(prefix);
    methods_ = method_names(root);
    if (const auto* map = root.as_map()) entries(*map, "");
  }

  std::vector<Finding> take() { return std::move(findings_); }

 private:
  void tell(std::string_view path, std::string text) {
    if (findings_.size() < findings_max) {
      findings_.push_back({prefix_ + std::string(path), std::move(text)});
    }
  }

  // Sections of bootstrap and replica methods have names of the user's choice.
  static std::vector<std::string> method_names(const Tree& root) {
    const Section top(&root);
    auto names = top.section("postgresql").texts("create_replica_methods");
    for (const auto& name : top.section("standby_cluster").texts("create_replica_methods")) {
      names.push_back(name);
    }
    names.push_back(top.section("bootstrap").text("method"));
    return names;
  }

  bool is_method(std::string_view section, std::string_view key, const Tree& value) const {
    if (section != "postgresql" && section != "bootstrap") return false;
    return value.find("command") != nullptr || std::ranges::find(methods_, key) != methods_.end();
  }

  void entries(const Tree::Map& map, std::string_view section) {
    for (const auto& [key, value] : map) entry(section, key, value);
  }

  void entry(std::string_view section, const std::string& key, const Tree& value) {
    const auto path = joined(section, key);
    const auto* option = find_option(path, dynamic_);
    if (option != nullptr) return known(*option, path, value);
    if (is_section(path, dynamic_)) return subsection(path, value);
    if (section.empty() && is_foreign(key)) return;
    if (is_method(section, key, value) || !tells_unknown_) return;
    unknown(section, key, path);
  }

  static bool is_foreign(std::string_view key) {
    return std::ranges::find(foreign_sections(), key, &ForeignSection::name) !=
           foreign_sections().end();
  }

  void unknown(std::string_view section, const std::string& key, const std::string& path) {
    auto text = format_text("unknown key \"{}{}\"", prefix_, path.substr(0, 2 * key_length_max));
    if (const auto name = similar_name(key, section, dynamic_)) {
      text += format_text("; did you mean \"{}{}\"?", prefix_, joined(section, *name));
    } else if (const auto elsewhere = same_name_elsewhere(key)) {
      text += format_text("; did you mean \"{}\"?", *elsewhere);
    }
    tell(path, std::move(text));
  }

  void subsection(const std::string& path, const Tree& value) {
    if (const auto* map = value.as_map()) {
      entries(*map, path);
    } else if (!value.is_null()) {
      tell(path, format_text("\"{}{}\" must hold keys and values; it is ignored", prefix_, path));
    }
  }

  void known(const Option& option, const std::string& path, const Tree& value) {
    if (!(dynamic_ ? option.is_dynamic() : option.is_local())) return misplaced(option, path);
    if (path == "bootstrap.dcs" && !dynamic_) bootstrap_document(value);
    if (value.is_null()) return;
    if (counts_by_truth(option)) return tag(option, value);
    if (!is_usable(option.kind, value)) return unusable(option, path);
    const auto* map = value.as_map();
    if (option.kind != Kind::map || map == nullptr || !is_section(path, dynamic_)) return;
    for (const auto& [key, item] : *map) {
      const auto below = joined(path, key);
      if (const auto* one = find_option(below, dynamic_)) known(*one, below, item);
    }
  }

  // Tags but one are not parsed: the text "false" is true (contract config 4.10).
  static bool counts_by_truth(const Option& option) {
    return option.kind == Kind::boolean && option.path.starts_with("tags.") &&
           option.path != "tags.nostream";
  }

  void tag(const Option& option, const Tree& value) {
    if (value.as_bool() != nullptr) return;
    tell(option.path, format_text("\"{}\" is not a boolean; it counts as {}", option.path,
                                  value.truthy() ? "true" : "false"));
  }

  void misplaced(const Option& option, const std::string& path) {
    if (!tells_unknown_) return;
    tell(path, dynamic_ ? format_text("\"{}{}\" counts only in each member's own file; it is "
                                      "ignored here",
                                      prefix_, option.path)
                        : format_text("\"{}\" counts only in the dynamic configuration "
                                      "(tanistctl edit-config); it is ignored here",
                                      option.path));
  }

  void unusable(const Option& option, const std::string& path) {
    const auto outcome = option.fallback.empty()
                             ? std::string("it is ignored")
                             : format_text("the default {} is used", option.fallback);
    tell(path, format_text("\"{}{}\" is not {}; {}", prefix_, path, description_of(option.kind),
                           outcome));
  }

  void bootstrap_document(const Tree& value) {
    Walk walk(true, tells_unknown_);
    walk.document(value, "bootstrap.dcs.");
    for (auto& finding : walk.take()) {
      if (findings_.size() < findings_max) findings_.push_back(std::move(finding));
    }
  }

  bool dynamic_;
  bool tells_unknown_;
  std::string prefix_;
  std::vector<std::string> methods_;
  std::vector<Finding> findings_;
};

}  // namespace

bool is_usable(Kind kind, const Tree& value) {
  switch (kind) {
    case Kind::any: return true;
    case Kind::text: return value.is_scalar();
    case Kind::integer: return int_with_unit(value, "").has_value();
    case Kind::quantity:
      return int_with_unit(value, "s").has_value() || int_with_unit(value, "B").has_value();
    case Kind::boolean: return to_bool(value).has_value();
    case Kind::texts: return value.is_list() || value.as_string() != nullptr;
    case Kind::texts_or_string: return value.is_list() || value.as_string() != nullptr;
    case Kind::program_options: return value.is_list() || value.is_map();
    case Kind::map: return value.is_map();
  }
  return true;
}

std::string_view description_of(Kind kind) {
  switch (kind) {
    case Kind::any: return "a value";
    case Kind::text: return "a text";
    case Kind::integer: return "an integer";
    case Kind::quantity: return "an integer, with or without a unit";
    case Kind::boolean: return "a boolean";
    case Kind::texts: return "a list";
    case Kind::texts_or_string: return "a list or a text with commas";
    case Kind::program_options: return "a list or a map";
    case Kind::map: return "a map of keys and values";
  }
  return "a value";
}

std::vector<Finding> findings_in_local(const Tree& local) {
  Walk walk(false, true);
  walk.document(local, "");
  return walk.take();
}

std::vector<Finding> findings_in_dynamic(const Tree& dynamic) {
  Walk walk(true, false);
  walk.document(dynamic, "");
  return walk.take();
}

}  // namespace tanist::config
