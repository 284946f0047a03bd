// SPDX-License-Identifier: Apache-2.0
// Reading of a peer's status page. Pure; any thread.
#include "core/peer_report.h"

#include <algorithm>

#include "core/observation.h"

namespace tanist {

namespace {

std::uint64_t number(const Tree& map, std::string_view key) {
  const auto* value = map.find(key);
  const auto parsed = value != nullptr ? to_int(*value) : std::nullopt;
  return parsed && *parsed > 0 ? static_cast<std::uint64_t>(*parsed) : 0;
}

std::string word(const Tree& map, std::string_view key) {
  const auto* value = map.find(key);
  const auto* text = value != nullptr ? value->as_string() : nullptr;
  return text != nullptr ? *text : std::string();
}

std::string word_at(const Tree& map, std::initializer_list<std::string_view> path) {
  const auto* value = map.find_path(path);
  const auto* text = value != nullptr ? value->as_string() : nullptr;
  return text != nullptr ? *text : std::string();
}

bool lacks_required_guard(const Tree& body) {
  return word_at(body, {"tanist", "guard", "mode"}) == name_of(GuardMode::required) &&
         word_at(body, {"tanist", "guard", "state"}) == name_of(GuardState::absent);
}

}  // namespace

PeerReport peer_report_from(const MemberName& name, const Tree& body) {
  PeerReport report;
  report.name = name;
  if (!body.is_map()) return report;
  report.answered = true;
  report.state = word(body, "state");
  report.role = word(body, "role");
  if (const auto* tags = body.find("tags")) report.tags = tags_from(*tags);
  if (const auto* failed = body.find("watchdog_failed")) report.watchdog_failed = failed->truthy();
  if (const auto* storage = body.find_path({"tanist", "storage", "state"})) {
    const auto state = text_form(*storage);
    report.storage_failed =
        state != name_of(StorageState::good) && state != name_of(StorageState::unknown);
  }
  report.guard_missing = lacks_required_guard(body);
  if (const auto* since = body.find_path({"tanist", "looked_since_unlock"})) {
    report.position_is_old = !since->truthy();
  }
  const auto* lock = body.find_path({"tanist", "holds_lock"});
  report.holds_lock = lock != nullptr && lock->truthy();
  const auto* left = body.find_path({"tanist", "left_at"});
  const auto left_at = left != nullptr ? to_int(*left) : std::nullopt;
  if (left_at && *left_at > 0) report.left_at = Lsn(static_cast<std::uint64_t>(*left_at));
  report.timeline = Timeline(static_cast<std::uint32_t>(number(body, "timeline")));
  const auto* wal = body.find("wal");
  if (wal == nullptr || !wal->is_map()) wal = body.find("xlog");
  if (wal == nullptr || !wal->is_map()) return report;
  report.reachable = true;
  report.is_primary =
      number(*wal, "location") != 0 || report.role == "primary" || report.role == "master";
  if (!report.is_primary) {
    report.wal_position =
        Lsn(std::max(number(*wal, "received_location"), number(*wal, "replayed_location")));
  }
  return report;
}

}  // namespace tanist
