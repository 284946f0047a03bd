// SPDX-License-Identifier: Apache-2.0
// The monitoring query by version, and its rows as facts.
#include "postgres/monitoring_query.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"

namespace tanist::postgres {

namespace {

constexpr std::int64_t version_13 = 130000;
constexpr std::int64_t version_17 = 170000;

// `recovering` is asked once, so that all columns agree on it during a promotion.
constexpr std::string_view main_row = R"(SELECT r.recovering,
 pg_catalog.to_char(pg_catalog.pg_postmaster_start_time(),
                    'YYYY-MM-DD HH24:MI:SS.USTZH:TZM') AS started,
 CASE WHEN r.recovering THEN NULL ELSE pg_catalog.substr(
   pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END AS timeline,
 CASE WHEN r.recovering THEN NULL ELSE pg_catalog.pg_current_wal_flush_lsn() END AS location,
 pg_catalog.pg_last_wal_replay_lsn() AS replayed,
 pg_catalog.pg_last_wal_receive_lsn() AS received,
 {} AS written,
 pg_catalog.to_char(pg_catalog.pg_last_xact_replay_timestamp(),
                    'YYYY-MM-DD HH24:MI:SS.USTZH:TZM') AS replayed_at,
 CASE WHEN r.recovering THEN pg_catalog.pg_is_wal_replay_paused() END AS paused,
 w.latest_end_lsn AS latest_end,
 CASE WHEN w.latest_end_lsn IS NOT NULL THEN w.received_tli END AS received_timeline,
 w.status, w.slot_name, w.sender_host, w.sender_port,
 pg_catalog.current_setting('restore_command') AS restore_command,
 pg_catalog.current_setting('synchronous_commit') AS synchronous_commit,
 pg_catalog.current_setting('synchronous_standby_names') AS synchronous_standby_names,
 pg_catalog.pg_conf_load_time() AS configuration_loaded_at
 FROM (SELECT pg_catalog.pg_is_in_recovery() AS recovering OFFSET 0) AS r
 LEFT JOIN pg_catalog.pg_stat_get_wal_receiver() AS w ON true)";

constexpr std::string_view sender_rows = R"(SELECT pid, usename, application_name,
 pg_catalog.host(client_addr) AS address, state, sync_state, sync_priority,
 write_lsn, flush_lsn, replay_lsn FROM pg_catalog.pg_stat_replication)";

constexpr std::string_view slot_rows = R"(SELECT slot_name, slot_type, active, plugin, database,
 xmin, catalog_xmin, restart_lsn, confirmed_flush_lsn{} FROM pg_catalog.pg_replication_slots
 WHERE NOT temporary{})";

// One row, read by column name.
class Row {
 public:
  Row(const sql::Rows& rows, std::size_t number) : rows_(rows), number_(number) {}

  std::string text(std::string_view column) const {
    return rows_.at(number_, column).value_or(std::string());
  }
  bool has(std::string_view column) const { return rows_.at(number_, column).has_value(); }
  bool truth(std::string_view column) const { return text(column) == "t"; }
  std::int64_t number(std::string_view column, int base = 10) const {
    const auto value = text(column);
    std::int64_t result = 0;
    std::from_chars(value.data(), value.data() + value.size(), result, base);
    return result;
  }
  Lsn lsn(std::string_view column) const { return parse_lsn(text(column)).value_or(Lsn()); }
  Timeline timeline(std::string_view column, int base) const {
    return Timeline(static_cast<std::uint32_t>(number(column, base)));
  }

 private:
  const sql::Rows& rows_;
  std::size_t number_;
};

QueryFacts main_facts(const Row& row) {
  QueryFacts facts;
  facts.in_recovery = row.truth("recovering");
  facts.postmaster_start_time = without_zero_fraction(row.text("started"));
  facts.timeline = row.timeline("timeline", 16);
  facts.location = row.lsn("location");
  facts.replayed = row.lsn("replayed");
  facts.received = std::max(row.lsn("received"), row.lsn("written"));
  facts.latest_end = row.lsn("latest_end");
  facts.replayed_timestamp = without_zero_fraction(row.text("replayed_at"));
  facts.replay_paused = row.truth("paused");
  facts.received_timeline = row.timeline("received_timeline", 10);
  facts.receiver_status = row.text("status");
  facts.receiver_slot = row.text("slot_name");
  facts.receiver_host = row.text("sender_host");
  facts.receiver_port = row.number("sender_port");
  facts.restore_command = row.text("restore_command");
  facts.synchronous_commit = row.text("synchronous_commit");
  facts.synchronous_standby_names = row.text("synchronous_standby_names");
  return facts;
}

WalSender sender_from(const Row& row) {
  WalSender sender;
  sender.pid = row.number("pid");
  sender.user = row.text("usename");
  sender.application_name = row.text("application_name");
  sender.client_address = row.text("address");
  sender.state = row.text("state");
  sender.sync_state = row.text("sync_state");
  sender.sync_priority = row.number("sync_priority");
  sender.write_lsn = row.lsn("write_lsn");
  sender.flush_lsn = row.lsn("flush_lsn");
  sender.replay_lsn = row.lsn("replay_lsn");
  return sender;
}

SlotFacts slot_from(const Row& row) {
  SlotFacts slot;
  slot.name = row.text("slot_name");
  slot.logical = row.text("slot_type") == "logical";
  slot.active = row.truth("active");
  slot.plugin = row.text("plugin");
  slot.database = row.text("database");
  slot.has_xmin = row.has("xmin");
  slot.catalog_xmin = row.number("catalog_xmin");
  slot.restart_lsn = row.lsn("restart_lsn");
  slot.confirmed_flush_lsn = row.lsn("confirmed_flush_lsn");
  slot.wal_status = row.text("wal_status");
  slot.failover = row.truth("failover");
  slot.synced = row.truth("synced");
  return slot;
}

template <class T>
std::vector<T> read_all(const sql::Rows& rows, T (*read)(const Row&)) {
  std::vector<T> all;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) all.push_back(read(Row(rows, i)));
  return all;
}

}  // namespace

std::string without_zero_fraction(std::string time) {
  constexpr std::string_view zero = ".000000";
  if (const auto at = time.find(zero); at != std::string::npos) time.erase(at, zero.size());
  return time;
}

std::string monitoring_query(std::int64_t server_version, MonitoringParts parts) {
  const bool has_written = server_version >= version_13;
  auto text = format_text(fmt::runtime(main_row), has_written ? "w.written_lsn" : "NULL");
  if (parts.replication) text.append("; ").append(sender_rows);
  if (parts.slots) {
    const bool syncs_slots = server_version >= version_17;
    const std::string_view status = server_version >= version_13 ? ", wal_status" : "";
    text += "; " + format_text(fmt::runtime(slot_rows),
                               std::string(status) + (syncs_slots ? ", failover, synced" : ""),
                               syncs_slots ? " AND (NOT failover OR NOT synced)" : "");
  }
  return text;
}

Result<MonitoringAnswer> read_monitoring(std::int64_t server_version, MonitoringParts parts,
                                         const std::vector<sql::Rows>& answer) {
  const std::size_t wanted = 1U + (parts.replication ? 1U : 0U) + (parts.slots ? 1U : 0U);
  if (answer.size() != wanted || answer[0].rows.size() != 1) {
    return fail(Errc::invalid, "the monitoring query gave an answer of another form");
  }
  const Row row(answer[0], 0);
  MonitoringAnswer result;
  result.facts = main_facts(row);
  result.facts.server_version = server_version;
  result.configuration_loaded_at = row.text("configuration_loaded_at");
  if (parts.replication) result.facts.wal_senders = read_all(answer[1], sender_from);
  if (parts.slots) result.facts.slots = read_all(answer.back(), slot_from);
  return result;
}

}  // namespace tanist::postgres
