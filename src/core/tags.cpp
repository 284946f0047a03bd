// SPDX-License-Identifier: Apache-2.0
// Reading and publishing of tags. Pure; any thread.
#include "core/tags.h"

#include <algorithm>
#include <array>

#include "base/format.h"

namespace tanist {

namespace {

bool truthy(const Tree& tags, std::string_view key) {
  const auto* value = tags.find(key);
  return value != nullptr && value->truthy();
}

// The boolean tag, when present, beats the number; a priority at or below 0 is 0.
std::int64_t priority(const Tree& tags, std::string_view veto, std::string_view number) {
  const auto* word = tags.find(veto);
  const auto* value = tags.find(number);
  const auto parsed = value != nullptr ? to_int(*value) : std::nullopt;
  if (word != nullptr && !word->is_null()) {
    if (word->truthy()) return 0;
    return std::max<std::int64_t>(parsed.value_or(1), 1);
  }
  return std::max<std::int64_t>(parsed.value_or(1), 0);
}

constexpr std::array<std::string_view, 5> boolean_tags{"clonefrom", "nofailover", "noloadbalance",
                                                       "nosync", "nostream"};

struct Pair {
  std::string_view veto;
  std::string_view number;
};
constexpr std::array<Pair, 2> priority_tags{
    {{"nofailover", "failover_priority"}, {"nosync", "sync_priority"}}};

bool kept_although_false(const Tree& configured, std::string_view key) {
  return std::ranges::any_of(priority_tags, [&](const Pair& pair) {
    return pair.veto == key && configured.find(pair.number) != nullptr;
  });
}

}  // namespace

Tags tags_from(const Tree& tags) {
  Tags typed;
  typed.failover_priority = priority(tags, "nofailover", "failover_priority");
  typed.sync_priority = priority(tags, "nosync", "sync_priority");
  typed.clonefrom = truthy(tags, "clonefrom");
  typed.noloadbalance = truthy(tags, "noloadbalance");
  if (const auto* word = tags.find("nostream")) typed.nostream = to_bool(*word).value_or(false);
  if (const auto* source = tags.find("replicatefrom"); source != nullptr && source->truthy()) {
    typed.replicatefrom = MemberName(text_form(*source));
  }
  typed.published = tags.is_map() ? tags : Tree::map();
  return typed;
}

Tree published_tags(const Tree& configured) {
  Tree out = Tree::map();
  const auto* map = configured.as_map();
  if (map == nullptr) return out;
  for (const auto& [key, value] : *map) {
    const bool built_in = std::ranges::find(boolean_tags, key) != boolean_tags.end();
    if (built_in && !value.truthy() && !kept_although_false(configured, key)) continue;
    out.set(key, value);
  }
  return out;
}

std::vector<std::string> tag_conflicts(const Tree& configured) {
  std::vector<std::string> conflicts;
  for (const auto& [veto, number] : priority_tags) {
    const auto* word = configured.find(veto);
    const auto* value = configured.find(number);
    if (word == nullptr || value == nullptr) continue;
    const bool by_number = to_int(*value).value_or(1) <= 0;
    if (word->truthy() == by_number) continue;
    conflicts.push_back(
        format_text("Conflicting configuration between {}: {} and {}: {}. Defaulting to {}: {}",
                    veto, text_form(*word), number, text_form(*value), veto, text_form(*word)));
  }
  return conflicts;
}

}  // namespace tanist
