// SPDX-License-Identifier: Apache-2.0
// Creating, dropping and advancing slots.
#include "postgres/slots.h"

#include "base/format.h"
#include "base/log.h"
#include "postgres/sessions.h"

namespace tanist::postgres {

namespace {

using Parameters = std::vector<sql::Value>;

// Only when it is missing, so that it may be asked for again.
constexpr std::string_view create_physical =
    "SELECT pg_catalog.pg_create_physical_replication_slot($1, true) WHERE NOT EXISTS"
    " (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)";
constexpr std::string_view create_logical =
    "SELECT pg_catalog.pg_create_logical_replication_slot($1, $2) WHERE NOT EXISTS"
    " (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)";
// An active slot stays; the caller is told (trap 86).
constexpr std::string_view drop_inactive =
    "SELECT slot_name, active, CASE WHEN NOT active THEN"
    " pg_catalog.pg_drop_replication_slot(slot_name) END"
    " FROM pg_catalog.pg_replication_slots WHERE slot_name = $1";
constexpr std::string_view advance =
    "SELECT pg_catalog.pg_replication_slot_advance(slot_name, $2::pg_catalog.pg_lsn)"
    " FROM pg_catalog.pg_replication_slots WHERE slot_name = $1"
    " AND COALESCE(CASE WHEN slot_type = 'logical' THEN confirmed_flush_lsn ELSE restart_lsn END,"
    " '0/0') < $2::pg_catalog.pg_lsn";

Result<void> as_result(const sql::SqlResult<sql::Rows>& rows) {
  if (!rows) {
    const auto& error = rows.error();
    return fail(error.code, "{}{}", error.message,
                error.sqlstate.empty() ? "" : format_text(" (SQLSTATE {})", error.sqlstate));
  }
  return {};
}

// Sessions for the changes: logical slots belong to a database, and decoding may take long.
class SlotSessions {
 public:
  explicit SlotSessions(Job job) : job_(std::move(job)) {}

  os::Awaitable<sql::SqlResult<sql::Rows>> run(std::string database, std::string statement,
                                               Parameters parameters) {
    auto& session = sessions_[database];
    if (!session || !session->usable()) {
      auto opened = co_await patient_session(job_, database);
      if (!opened) co_return tl::unexpected(std::move(opened.error()));
      session = std::move(*opened);
    }
    const auto limit = job_.within(slot_time_max);
    co_return co_await session->query(std::move(statement), std::move(parameters), limit);
  }

 private:
  static constexpr Duration slot_time_max = std::chrono::minutes{10};
  Job job_;
  std::map<std::string, sql::ConnectionPtr> sessions_;
};

// WAL that an unused copy would need is gone, or the slot was invalidated: only a new copy helps
// (contract postgres 10.4).
bool is_beyond_help(const sql::SqlError& error) {
  return error.sqlstate == "58P01" || error.sqlstate == "55000";
}

os::Awaitable<Result<void>> drop_useless_copy(std::shared_ptr<SlotSessions> sessions,
                                              SlotChange change, std::string database) {
  log_warning("logical slot '{}' cannot be advanced any more and is dropped, to be copied again",
              change.slot);
  Parameters parameters{change.slot};
  const auto rows = co_await sessions->run(std::move(database), std::string(drop_inactive),
                                           std::move(parameters));
  co_return as_result(rows);
}

os::Awaitable<Result<void>> perform(std::shared_ptr<SlotSessions> sessions, SlotChange change,
                                    std::string usual_database) {
  const auto database =
      change.logical && !change.database.empty() ? change.database : usual_database;
  Parameters parameters{change.slot};
  std::string statement;
  switch (change.what) {
    case SlotChange::What::create:
      statement = change.logical ? create_logical : create_physical;
      if (change.logical) parameters.emplace_back(change.plugin);
      break;
    case SlotChange::What::drop: statement = drop_inactive; break;
    case SlotChange::What::advance:
      statement = advance;
      parameters.emplace_back(to_text(change.advance_to));
      break;
  }
  const auto rows = co_await sessions->run(database, std::move(statement), std::move(parameters));
  const bool is_copy = change.logical && change.what == SlotChange::What::advance;
  if (!rows && is_copy && is_beyond_help(rows.error())) {
    co_return co_await drop_useless_copy(sessions, change, database);
  }
  if (rows && change.what == SlotChange::What::drop) {
    if (rows->at(0, "active") == "t") {
      co_return fail(Errc::refused, "Unable to drop replication slot '{}', slot is active",
                     change.slot);
    }
    if (!rows->rows.empty()) log_info("Dropped replication slot '{}'", change.slot);
  }
  co_return as_result(rows);
}

}  // namespace

os::Awaitable<ServerResult> change_slots(Job job, ChangeSlots wanted) {
  const auto sessions = std::make_shared<SlotSessions>(job);
  std::string errors;
  for (const auto& change : wanted.changes) {
    const auto done = co_await perform(sessions, change, job.settings->database);
    if (done) continue;
    const auto text =
        format_text("{} slot '{}': {}", name_of(change.what), change.slot, done.error().message);
    log_warning("{}", text);
    errors += (errors.empty() ? "" : "; ") + text;
    if (job.stopped()) break;
  }
  co_return errors.empty() ? succeeded() : failed(errors);
}

}  // namespace tanist::postgres
