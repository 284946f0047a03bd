// SPDX-License-Identifier: Apache-2.0
// Reading of permanent slots and matchers. Pure; any thread.
#include "core/permanent_slots.h"

#include <algorithm>
#include <optional>

#include "base/format.h"

namespace tanist {

namespace {

constexpr std::size_t slot_name_length_max = 63;

bool is_slot_name(std::string_view name) {
  return !name.empty() && name.size() <= slot_name_length_max &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

std::string word(const Tree& map, std::string_view key) {
  const auto* value = map.find(key);
  return value != nullptr && value->truthy() ? text_form(*value) : std::string();
}

std::optional<PermanentSlot> slot_from(const Tree& value) {
  if (!value.truthy()) return PermanentSlot{};
  if (!value.is_map()) return std::nullopt;
  const auto type = word(value, "type");
  PermanentSlot slot{.plugin = word(value, "plugin"), .database = word(value, "database")};
  const bool has_both = !slot.plugin.empty() && !slot.database.empty();
  slot.logical = type == "logical" || (type.empty() && has_both);
  if (slot.logical && !has_both) return std::nullopt;
  if (!slot.logical && !type.empty() && type != "physical") return std::nullopt;
  if (slot.logical) return slot;
  return PermanentSlot{.cluster_type = word(value, "cluster_type")};
}

const Tree::Map& entries_of(const Tree& slots) {
  static const Tree::Map none;
  const auto* map = slots.as_map();
  return map != nullptr ? *map : none;
}

}  // namespace

std::map<std::string, PermanentSlot> permanent_slots_from(const Tree& slots) {
  std::map<std::string, PermanentSlot> result;
  for (const auto& [name, value] : entries_of(slots)) {
    auto slot = slot_from(value);
    if (is_slot_name(name) && slot) result.emplace(name, std::move(*slot));
  }
  return result;
}

std::vector<std::string> permanent_slot_warnings(const Tree& slots) {
  std::vector<std::string> warnings;
  if (slots.truthy() && !slots.is_map()) warnings.emplace_back("slots: has to be a mapping");
  for (const auto& [name, value] : entries_of(slots)) {
    if (!is_slot_name(name)) {
      warnings.push_back(
          format_text("Invalid permanent replication slot name '{}': 1 to 63 of a-z, "
                      "0-9 and _ are allowed; it is skipped",
                      name));
    } else if (!slot_from(value)) {
      warnings.push_back(format_text(
          "Bad value for slot '{}' in permanent_slots: a logical slot needs database and "
          "plugin, a physical one has at most type and cluster_type; it is skipped",
          name));
    }
  }
  return warnings;
}

bool is_ignored_slot(const Tree& matchers, const SlotFacts& slot) {
  const auto* list = matchers.as_list();
  if (list == nullptr) return false;
  const std::map<std::string, std::string, std::less<>> known{
      {"name", slot.name},
      {"database", slot.database},
      {"plugin", slot.plugin},
      {"type", slot.logical ? "logical" : "physical"}};
  return std::ranges::any_of(*list, [&](const Tree& matcher) {
    const auto* fields = matcher.as_map();
    if (fields == nullptr) return false;
    bool given = false;
    for (const auto& [key, value] : *fields) {
      const auto at = known.find(key);
      if (at == known.end() || !value.truthy()) continue;
      given = true;
      if (at->second != text_form(value)) return false;
    }
    return given;
  });
}

}  // namespace tanist
