// SPDX-License-Identifier: Apache-2.0
// Reading the leader's slots, and writing them into the own directory.
#include "postgres/slot_copies.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/format.h"
#include "base/log.h"
#include "os/file.h"
#include "postgres/data_directory.h"
#include "postgres/sessions.h"
#include "postgres/start.h"

namespace tanist::postgres {

namespace {

constexpr std::int64_t version_17 = 170000;

// What PostgreSQL 17 keeps in step itself is none of ours.
std::string slot_list(std::int64_t server_version) {
  return format_text(
      "SELECT slot_name, slot_type, plugin, database, catalog_xmin, confirmed_flush_lsn,"
      " CASE WHEN slot_type = 'logical' AND confirmed_flush_lsn IS NOT NULL THEN"
      " pg_catalog.encode(pg_catalog.pg_read_binary_file("
      "'pg_replslot/' || slot_name || '/state'), 'hex') END AS state"
      " FROM pg_catalog.pg_replication_slots WHERE NOT temporary AND NOT"
      " pg_catalog.pg_is_in_recovery(){}",
      server_version >= version_17 ? " AND NOT failover" : "");
}

// The leader's slots without their states need no right to read files.
constexpr std::string_view slot_horizons =
    "SELECT slot_name, slot_type, plugin, database, catalog_xmin, confirmed_flush_lsn"
    " FROM pg_catalog.pg_replication_slots WHERE NOT temporary";

std::optional<std::string> from_hexadecimal(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    unsigned value = 0;
    const auto end = std::from_chars(text.data() + at, text.data() + at + 2, value, 16);
    if (end.ptr != text.data() + at + 2) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

SlotFacts facts_of(const sql::Rows& rows, std::size_t row) {
  const auto text = [&](std::string_view column) { return rows.at(row, column).value_or(""); };
  SlotFacts slot;
  slot.name = text("slot_name");
  slot.logical = text("slot_type") == "logical";
  slot.plugin = text("plugin");
  slot.database = text("database");
  const auto xmin = text("catalog_xmin");
  std::from_chars(xmin.data(), xmin.data() + xmin.size(), slot.catalog_xmin);
  slot.confirmed_flush_lsn = parse_lsn(text("confirmed_flush_lsn")).value_or(Lsn());
  return slot;
}

bool is_wanted(const std::vector<SlotChange>& wanted, const SlotFacts& slot) {
  return std::ranges::any_of(wanted, [&](const SlotChange& one) {
    return slot.logical && one.slot == slot.name && one.plugin == slot.plugin &&
           one.database == slot.database;
  });
}

std::vector<SlotState> states_in(const sql::Rows& rows, const std::vector<SlotChange>& wanted) {
  std::vector<SlotState> found;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const auto slot = facts_of(rows, row);
    if (!is_wanted(wanted, slot)) continue;
    const auto hex = rows.at(row, "state");
    auto state = hex ? from_hexadecimal(*hex) : std::nullopt;
    if (state && !state->empty()) found.push_back({slot.name, std::move(*state)});
  }
  return found;
}

// No names that could lead out of the folder: what the server reports is checked all the same.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && !name.starts_with('.');
}

// By way of NAME.tmp, as the server itself does: what is half written when we die is ignored and
// removed by its next start.
Result<void> write_slot(const Paths& paths, const SlotState& slot) {
  if (!is_plain_name(slot.name)) return fail(Errc::refused, "slot name \"{}\"", slot.name);
  const auto folder = paths.in_data("pg_replslot/" + slot.name);
  const auto temporary = folder + ".tmp";
  if (os::exists(folder)) return {};
  if (auto made = os::create_folders(temporary, folder_mode_for(paths.data)); !made) return made;
  const auto file = temporary + "/state";
  if (auto done = os::replace_file(file, slot.state, file_mode_for(file, paths.data)); !done) {
    return done;
  }
  std::error_code code;
  std::filesystem::rename(temporary, folder, code);
  if (code) return fail(Errc::failed, "cannot rename {}: {}", temporary, code.message());
  return os::sync_folder(paths.in_data("pg_replslot"));
}

Result<void> write_slots(const Paths& paths, const std::vector<SlotState>& slots) {
  for (const auto& slot : slots) {
    if (auto done = write_slot(paths, slot); !done) return done;
  }
  return {};
}

}  // namespace

os::Awaitable<ServerResult> fetch_slots(Job job, FetchSlots wanted) {
  job.server->fetched_slots.clear();
  auto session = co_await connect(job, upstream_request(*job.settings, wanted.leader));
  if (!session) co_return failed(session.error().message);
  const auto limit = job.within(seconds{30});
  auto statement = slot_list((*session)->server_version());
  const auto rows = co_await (*session)->query(std::move(statement), {}, limit);
  if (!rows) co_return failed(rows.error().message);
  auto states = states_in(*rows, wanted.slots);
  if (states.empty()) {
    co_return failed("the leader has no such slot with that plugin and database");
  }
  job.server->fetched_slots = std::move(states);
  co_return succeeded();
}

os::Awaitable<ServerResult> install_slots(Job job) {
  const auto search = co_await look_for_postmaster(job);
  if (search.found) co_return failed("no slots are written: a server runs");
  auto slots = std::exchange(job.server->fetched_slots, {});
  std::string names;
  for (const auto& slot : slots) names += (names.empty() ? "" : ", ") + slot.name;
  auto write = [paths = job.paths, slots = std::move(slots)] { return write_slots(paths, slots); };
  const auto written = co_await job.on_disk(std::move(write));
  // The server is to be started all the same.
  if (!written) {
    log_error("Failed to copy logical slots: {}", written.error().message);
  } else {
    log_info("Copied logical slots {} from the leader", names);
  }
  co_return succeeded();
}

os::Awaitable<ServerResult> observe_leader_slots(Job job, ObserveLeaderSlots wanted) {
  auto session = co_await connect(job, upstream_request(*job.settings, wanted.leader));
  if (!session) co_return failed(session.error().message);
  const auto limit = job.within(query_time_max);
  const auto rows = co_await (*session)->query(std::string(slot_horizons), {}, limit);
  if (!rows) co_return failed(rows.error().message);
  auto result = succeeded();
  for (std::size_t row = 0; row < rows->rows.size(); ++row) {
    result.slots.push_back(facts_of(*rows, row));
  }
  co_return result;
}

}  // namespace tanist::postgres
