// SPDX-License-Identifier: Apache-2.0
// Readers of one section. Any thread.
#include "config/section.h"

#include "config/address.h"
#include "core/cluster_settings.h"

namespace tanist::config {

namespace {

bool is_text(const Tree* value) {
  return value != nullptr && value->is_scalar() && !value->is_null();
}

}  // namespace

const Tree* Section::find(std::string_view key) const {
  const auto* value = tree_ != nullptr ? tree_->find(key) : nullptr;
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string Section::text(std::string_view key, std::string_view fallback) const {
  const auto* value = find(key);
  return is_text(value) ? text_form(*value) : std::string(fallback);
}

std::string Section::text_of_either(std::string_view key, std::string_view old_key) const {
  auto value = text(key);
  return value.empty() ? text(old_key) : value;
}

bool Section::flag(std::string_view key, bool fallback) const {
  const auto* value = find(key);
  return value != nullptr ? to_bool(*value).value_or(fallback) : fallback;
}

std::int64_t Section::integer(std::string_view key, std::int64_t fallback,
                              std::string_view unit) const {
  const auto* value = find(key);
  return value != nullptr ? int_with_unit(*value, unit).value_or(fallback) : fallback;
}

std::vector<std::string> Section::texts(std::string_view key, bool splits) const {
  const auto* value = find(key);
  if (value == nullptr) return {};
  if (const auto* text = value->as_string()) {
    if (splits) return split_commas(*text);
    return text->empty() ? std::vector<std::string>() : std::vector{*text};
  }
  std::vector<std::string> out;
  if (const auto* list = value->as_list()) {
    for (const auto& item : *list) {
      if (is_text(&item)) out.push_back(text_form(item));
    }
  }
  return out;
}

std::map<std::string, std::string> Section::text_map(std::string_view key) const {
  std::map<std::string, std::string> out;
  const auto* value = find(key);
  const auto* map = value != nullptr ? value->as_map() : nullptr;
  if (map == nullptr) return out;
  for (const auto& [name, item] : *map) {
    if (is_text(&item)) out[name] = text_form(item);
  }
  return out;
}

Tree Section::collection(std::string_view key) const {
  const auto* value = find(key);
  return value != nullptr && !value->is_scalar() ? *value : Tree();
}

}  // namespace tanist::config
