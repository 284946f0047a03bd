// SPDX-License-Identifier: Apache-2.0
// Tree: look-up, change, comparison by text form, deep patch. No parsing here. Any thread.
#include "base/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace tanist {

const Tree* Tree::find(std::string_view key) const {
  const auto* map = as_map();
  if (map == nullptr) return nullptr;
  const auto at = std::ranges::find(*map, key, &Entry::first);
  return at == map->end() ? nullptr : &at->second;
}

Tree* Tree::find(std::string_view key) { return const_cast<Tree*>(std::as_const(*this).find(key)); }

const Tree* Tree::find_path(std::initializer_list<std::string_view> keys) const {
  const Tree* at = this;
  for (const auto key : keys) {
    at = at->find(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

Tree& Tree::set(std::string_view key, Tree value) {
  if (!is_map()) value_ = Map{};
  if (auto* found = find(key)) {
    *found = std::move(value);
    return *found;
  }
  auto* map = as_map();
  map->emplace_back(std::string(key), std::move(value));
  return map->back().second;
}

bool Tree::erase(std::string_view key) {
  auto* map = as_map();
  if (map == nullptr) return false;
  return std::erase_if(*map, [&](const Entry& entry) { return entry.first == key; }) > 0;
}

Tree& Tree::push(Tree value) {
  if (!is_list()) value_ = List{};
  return as_list()->emplace_back(std::move(value));
}

const Tree& SharedTree::null_tree() {
  static const Tree null;
  return null;
}

bool Tree::truthy() const {
  struct Truth {
    bool operator()(std::monostate) const { return false; }
    bool operator()(bool value) const { return value; }
    bool operator()(std::int64_t value) const { return value != 0; }
    bool operator()(double value) const { return value != 0; }
    bool operator()(const std::string& value) const { return !value.empty(); }
    bool operator()(const List& value) const { return !value.empty(); }
    bool operator()(const Map& value) const { return !value.empty(); }
  };
  return std::visit(Truth{}, value_);
}

std::string text_form(const Tree& tree) {
  if (tree.is_null()) return "None";
  if (const auto* value = tree.as_bool()) return *value ? "True" : "False";
  if (const auto* value = tree.as_string()) return *value;
  return to_json(tree);  // numbers print alike in JSON and in Python
}

std::optional<bool> to_bool(const Tree& tree) {
  if (!tree.is_scalar() || tree.is_null()) return std::nullopt;
  auto word = text_form(tree);
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  if (word == "on" || word == "true" || word == "yes" || word == "1") return true;
  if (word == "off" || word == "false" || word == "no" || word == "0") return false;
  return std::nullopt;
}

std::optional<std::int64_t> to_int(const Tree& tree) {
  if (const auto* value = tree.as_int()) return *value;
  if (const auto* value = tree.as_real()) {
    if (!std::isfinite(*value) || std::abs(*value) > 9e18) return std::nullopt;
    return static_cast<std::int64_t>(*value);
  }
  const auto* text = tree.as_string();
  if (text == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const auto* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

namespace {

bool same_scalar(const Tree& a, const Tree& b) {
  return a.is_scalar() && b.is_scalar() && text_form(a) == text_form(b);
}

bool patch_entry(Tree& target, const Tree::Entry& change) {
  const auto& [key, value] = change;
  if (value.is_null()) return target.erase(key);
  auto* present = target.find(key);
  if (present == nullptr) {
    target.set(key, value);
    return true;
  }
  if (present->is_map() && value.is_map()) return deep_patch(*present, value);
  if (same_scalar(*present, value) || *present == value) return false;
  *present = value;
  return true;
}

}  // namespace

bool deep_patch(Tree& target, const Tree& patch) {
  const auto* changes = patch.as_map();
  if (changes == nullptr) return false;
  bool changed = false;
  for (const auto& change : *changes) changed = patch_entry(target, change) || changed;
  return changed;
}

}  // namespace tanist
