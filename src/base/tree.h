// SPDX-License-Identifier: Apache-2.0
// One value for everything that is written as YAML or JSON: null, boolean, integer, real, string,
// list, or map with its order kept. What others wrote becomes a Tree first, typed values after.
// A plain value; any thread. Depth is limited by the parsers (tree_depth_max), so recursion over
// a Tree is safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tanist {

// No parser makes a deeper Tree (engineering rules: a PATCH of 10^6 nested arrays).
inline constexpr int tree_depth_max = 64;

class Tree {
 public:
  using List = std::vector<Tree>;
  using Entry = std::pair<std::string, Tree>;
  using Map = std::vector<Entry>;

  Tree() = default;
  Tree(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  Tree(bool value) : value_(value) {}
  Tree(int value) : value_(static_cast<std::int64_t>(value)) {}
  Tree(std::int64_t value) : value_(value) {}
  Tree(std::uint64_t value) : value_(static_cast<std::int64_t>(value)) {}
  Tree(double value) : value_(value) {}
  Tree(const char* value) : value_(std::string(value)) {}
  Tree(std::string_view value) : value_(std::string(value)) {}
  Tree(std::string value) : value_(std::move(value)) {}
  Tree(List value) : value_(std::move(value)) {}
  Tree(Map value) : value_(std::move(value)) {}

  static Tree map(std::initializer_list<Entry> entries = {}) { return Tree(Map(entries)); }
  static Tree list(std::initializer_list<Tree> items = {}) { return Tree(List(items)); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_map() const { return std::holds_alternative<Map>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_scalar() const { return !is_map() && !is_list(); }

  // The alternative, or nullptr when the value is of another kind.
  const bool* as_bool() const { return std::get_if<bool>(&value_); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&value_); }
  const double* as_real() const { return std::get_if<double>(&value_); }
  const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  const List* as_list() const { return std::get_if<List>(&value_); }
  const Map* as_map() const { return std::get_if<Map>(&value_); }
  List* as_list() { return std::get_if<List>(&value_); }
  Map* as_map() { return std::get_if<Map>(&value_); }

  // The value under `key`, or nullptr when this is no map or has no such key.
  const Tree* find(std::string_view key) const;
  Tree* find(std::string_view key);
  // The value at the end of a path of keys, or nullptr.
  const Tree* find_path(std::initializer_list<std::string_view> keys) const;

  // Puts `value` under `key`, replacing in place or appending; a non-map becomes a map first.
  Tree& set(std::string_view key, Tree value);
  // True when the key was there. Order of the others is kept.
  bool erase(std::string_view key);
  // Appends; a non-list becomes a list first.
  Tree& push(Tree value);

  // Python's idea of truth: null, false, 0, "", [] and {} are false.
  bool truthy() const;

  friend bool operator==(const Tree&, const Tree&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> value_;
};

// A Tree that nobody changes any more: copies share it. Null when nothing was given.
class SharedTree {
 public:
  SharedTree() = default;
  SharedTree(Tree value)  // NOLINT(google-explicit-constructor)
      : value_(std::make_shared<const Tree>(std::move(value))) {}

  const Tree& operator*() const { return value_ ? *value_ : null_tree(); }
  const Tree* operator->() const { return &**this; }
  operator const Tree&() const { return **this; }  // NOLINT(google-explicit-constructor)

  friend bool operator==(const SharedTree& a, const SharedTree& b) {
    return a.value_ == b.value_ || *a == *b;
  }
  friend bool operator==(const SharedTree& a, const Tree& b) { return *a == b; }

 private:
  static const Tree& null_tree();

  std::shared_ptr<const Tree> value_;
};

// The text Python's str() gives: None, True, False, 10, 1.5, the string itself. Lists and maps
// as compact JSON. Settings and store values are compared by this form (contract config 2).
std::string text_form(const Tree& tree);

// on/true/yes/1 and off/false/no/0 in any case, of a boolean, number or string; else nothing.
std::optional<bool> to_bool(const Tree& tree);
// An integer, or a string of one ("30"); a real is truncated. Else nothing.
std::optional<std::int64_t> to_int(const Tree& tree);

// Lays `patch` over `target` (contract config 2, "deep patch", and rest 9): maps recurse, null
// removes, scalars whose text forms are equal stay as they are, the rest replaces. A map under a
// new key is taken as it is, nulls included. Returns true when `target` changed.
bool deep_patch(Tree& target, const Tree& patch);

}  // namespace tanist
