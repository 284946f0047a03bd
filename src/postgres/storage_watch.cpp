// SPDX-License-Identifier: Apache-2.0
// The canary's reader.
#include "postgres/storage_watch.h"

#include <charconv>
#include <cstring>

#include "base/format.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/proc.h"
#include "postgres/programs.h"
#include "postgres/sessions.h"

namespace tanist::postgres {

// ---- Pure ------------------------------------------------------------------------------------

namespace {

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

int badness(StorageState state) {
  switch (state) {
    case StorageState::silent: return 5;
    case StorageState::failing: return 4;
    case StorageState::full: return 3;
    case StorageState::unreachable: return 2;
    case StorageState::good: return 1;
    case StorageState::unknown: break;
  }
  return 0;
}

std::string describe(const WatchedFolder& folder, std::string_view name, Instant now) {
  const auto seconds_silent = std::chrono::duration_cast<seconds>(now - folder.answered_at).count();
  switch (folder.state) {
    case StorageState::silent:
      return format_text("a write in the {} has not ended for {} s", name, seconds_silent);
    case StorageState::full: return format_text("the disk of the {} is full", name);
    case StorageState::failing:
      return format_text("a write in the {} failed: {}", name,
                         std::strerror(static_cast<int>(folder.error)));
    case StorageState::unreachable:
    case StorageState::good:
    case StorageState::unknown: break;
  }
  return {};
}

void add_contact(const ServerContact& contact, Instant now, Duration silent_after,
                 StorageFacts& facts) {
  if (contact.stopped_since) {
    facts.since = *contact.stopped_since;
    facts.detail = "its postmaster is stopped, by a signal or a debugger";
  } else if (contact.unanswered_since && now - *contact.unanswered_since >= silent_after) {
    facts.since = *contact.unanswered_since;
    facts.detail = format_text("its postmaster has answered none for {} s",
                               std::chrono::floor<seconds>(now - facts.since).count());
  } else {
    return;
  }
  facts.state = StorageState::unreachable;
}

WatchedFolder as_of(WatchedFolder folder, Instant now, Duration silent_after) {
  if (folder.watched && now - folder.answered_at >= silent_after) {
    folder.state = StorageState::silent;
  }
  return folder;
}

}  // namespace

void take_canary_line(std::string_view line, Instant now, WatchedFolder& data, WatchedFolder& wal) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return;
  const auto name = line.substr(0, space);
  const auto word = line.substr(space + 1);
  if (name != "data" && name != "wal") return;
  auto& folder = name == "data" ? data : wal;
  if (is_number(word)) {
    folder.state = StorageState::good;
    folder.microseconds = number_of(word);
  } else if (word == "full") {
    folder.state = StorageState::full;
  } else if (word.starts_with("error ")) {
    folder.state = StorageState::failing;
    folder.error = number_of(word.substr(std::strlen("error ")));
  } else if (word == "idle") {
    folder.state = StorageState::unknown;
    folder.microseconds = -1;
  } else {
    return;
  }
  folder.watched = word != "idle" || name == "data";  // the other one says so once
  folder.answered_at = now;
}

StorageFacts storage_of(const WatchedFolder& data, const WatchedFolder& wal,
                        const ServerContact& contact, Instant now, Duration silent_after) {
  const auto of_data = as_of(data, now, silent_after);
  const auto of_wal = as_of(wal, now, silent_after);
  const bool data_is_worse = badness(of_data.state) >= badness(of_wal.state);
  const auto& worse = data_is_worse ? of_data : of_wal;
  StorageFacts facts;
  facts.state = worse.state;
  facts.since = worse.answered_at;
  facts.detail = describe(worse, data_is_worse ? "data directory" : "WAL directory", now);
  facts.data_us = of_data.microseconds;
  facts.wal_us = of_wal.microseconds;
  if (facts.good_enough()) add_contact(contact, now, silent_after, facts);
  return facts;
}

// ---- Watching --------------------------------------------------------------------------------

namespace {

constexpr Duration look_interval = seconds{2};
constexpr Duration look_interval_in_doubt = seconds{1};
constexpr Duration connect_interval = seconds{10};
constexpr Duration tell_interval = seconds{10};
constexpr Duration canary_again = seconds{5};

struct Watch {
  WatchedFolder data;
  WatchedFolder wal;
  ServerContact contact;
  StorageFacts told;
  Instant told_at;
  Instant connected_at;
};
using WatchPtr = std::shared_ptr<Watch>;

os::Awaitable<void> run_canary(Job job, WatchPtr watch) {
  while (!job.stopped()) {
    os::SpawnRequest request;
    request.arguments = job.server->hooks.canary_command;
    request.environment = environment_for_tool(*job.settings);
    request.output = os::Output::discard;
    request.captured_bytes_max = 4096;
    request.on_error_line = [watch](std::string_view line) {
      take_canary_line(line, os::now(), watch->data, watch->wal);
    };
    watch->data.watched = true;
    watch->data.answered_at = os::now();
    const auto limit = job.limit();
    const auto end = co_await os::run_process(job.server->disk, std::move(request), limit);
    if (job.stopped()) co_return;
    log_warning("the storage canary ended: {}",
                end ? os::describe_status(end->status) : end.error().message);
    watch->data = WatchedFolder{};
    watch->wal = WatchedFolder{};
    const auto moment = job.within(canary_again);
    co_await os::pause(moment);
  }
}

constexpr std::string_view waiting_query =
    "SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE wait_event IN"
    " ('WALSync', 'WALWrite', 'WalSync', 'WalWrite', 'WALWriteLock')) AS waiting,"
    " CASE WHEN NOT pg_catalog.pg_is_in_recovery()"
    " THEN pg_catalog.pg_current_wal_flush_lsn() END AS flushed";

// A stopped postmaster looks well to every session that is there.
os::Awaitable<void> examine_postmaster(Job job, WatchPtr watch) {
  const auto identity = job.server->postmaster->identity();
  const auto limit = job.within(query_time_max);
  const auto process = co_await os::on_disk(*job.server->disk, limit,
                                            [identity] { return os::read_process(identity.pid); });
  if (!process) co_return;  // gone, or nobody knows
  const bool stopped =
      process->identity == identity && (process->state == 'T' || process->state == 't');
  auto& since = watch->contact.stopped_since;
  if (!stopped) {
    since.reset();
  } else if (!since) {
    since = os::now();
  }
}

// A new connection needs a new process of the server: what an old session answers says little.
os::Awaitable<void> try_connection(Job job, WatchPtr watch) {
  const auto began = os::now();
  const auto answer = co_await ask_readiness(job, query_time_max);
  auto& since = watch->contact.unanswered_since;
  if (answer != Readiness::no_answer) {
    since.reset();
  } else if (!since) {
    since = began;
  }
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(os::now() - began);
  watch->told.connection_us = answer == Readiness::accepting ? took.count() : -1;
}

// What the sessions wait for while the disk is silent.
os::Awaitable<void> ask_what_waits(Job job, WatchPtr watch) {
  const auto address = job.server->address.value_or(local_address(*job.settings));
  auto request = local_request(*job.settings, address, job.settings->database);
  auto opened = co_await connect(job, std::move(request));
  if (!opened) co_return;
  const auto limit = job.within(query_time_max);
  const auto rows = co_await (*opened)->query(std::string(waiting_query), {}, limit);
  if (!rows) co_return;
  watch->told.sessions_waiting = number_of(rows->at(0, "waiting").value_or("0"));
  const auto flushed = parse_lsn(rows->at(0, "flushed").value_or("")).value_or(Lsn());
  if (flushed != watch->told.flushed) watch->told.flushed_since = os::now();
  watch->told.flushed = flushed;
}

// The facts to tell now; those about connections are kept.
StorageFacts present_facts(const Watch& watch, Duration silent_after) {
  auto facts = storage_of(watch.data, watch.wal, watch.contact, os::now(), silent_after);
  facts.connection_us = watch.told.connection_us;
  facts.sessions_waiting = watch.told.sessions_waiting;
  facts.flushed = watch.told.flushed;
  facts.flushed_since = watch.told.flushed_since;
  return facts;
}

// True when it found out something.
os::Awaitable<bool> look_at_server(Job job, WatchPtr watch, bool silent) {
  if (!job.server->runs() || job.server->is_single_user) {
    watch->contact = {};
    co_return false;
  }
  co_await examine_postmaster(job, watch);
  const bool doubted = silent || watch->contact.unanswered_since;
  if (!doubted && os::now() < watch->connected_at + connect_interval) co_return true;
  watch->connected_at = os::now();
  Job latest = job;
  latest.settings = job.server->settings;
  co_await try_connection(latest, watch);
  if (!silent) co_return true;
  co_await ask_what_waits(latest, watch);
  co_return true;
}

}  // namespace

os::Awaitable<void> watch_storage(Job job) {
  auto watch = std::make_shared<Watch>();
  os::start(job.server->loop, run_canary(job, watch));
  bool doubted = false;
  while (!job.stopped()) {
    const auto moment = job.within(doubted ? look_interval_in_doubt : look_interval);
    co_await os::pause(moment);
    if (job.stopped()) co_return;
    auto facts = present_facts(*watch, job.server->hooks.storage_silent_after);
    const bool silent = facts.state == StorageState::silent;
    const bool looked = co_await look_at_server(job, watch, silent);
    if (looked) facts = present_facts(*watch, job.server->hooks.storage_silent_after);
    const bool due =
        facts.state != watch->told.state || silent || os::now() >= watch->told_at + tell_interval;
    watch->told = facts;
    doubted = !facts.good_enough() || watch->contact.unanswered_since;
    if (!due || !job.server->hooks.storage_observed) continue;
    watch->told_at = os::now();
    job.server->hooks.storage_observed(facts);
  }
}

}  // namespace tanist::postgres
