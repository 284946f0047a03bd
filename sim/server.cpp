// SPDX-License-Identifier: Apache-2.0
// Life of a postmaster.
#include "sim/server.h"

#include <algorithm>

#include "base/assert.h"

namespace tanist::sim {

namespace {

constexpr std::uint64_t row_size = 200;
constexpr std::uint64_t checkpoint_size = 120;

}  // namespace

Server::Server(ServerSurroundings around, std::string name, Host host)
    : around_(std::move(around)),
      name_(std::move(name)),
      host_(host),
      chance_(around_.world.chance().fork()),
      process_(around_.world),
      commits_(around_.world.chance().fork()) {}

std::optional<ProcessIdentity> Server::identity() const {
  if (!alive()) return std::nullopt;
  return ProcessIdentity{pid_, static_cast<std::uint64_t>(pid_)};
}

Lsn Server::replayed() const {
  return replayed_ == 0 ? Lsn(0x2000000) : around_.records[data_.wal.records[replayed_ - 1]].end;
}

Lsn Server::flushed() const {
  const auto count = std::min(flushed_, data_.wal.records.size());
  return count == 0 ? Lsn(0x2000000) : around_.records[data_.wal.records[count - 1]].end;
}

// ---- The beginning ---------------------------------------------------------------------------

void Server::launch(bool single_user) {
  TANIST_REQUIRE(!alive());
  process_.start();
  ++pid_;
  ++launches_;
  flushed_ = data_.wal.records.size();
  why_not_streaming_.clear();
  phase_ = single_user ? Phase::single_user : Phase::starting;
  accepting_ = admits_clients_ = has_received_ = false;
  replayed_ = 0;
  commits_.begin(standby_names_);
  const bool clean =
      data_.state == ControlState::shut_down || data_.state == ControlState::shut_down_in_recovery;
  const bool recovering = data_.state == ControlState::in_archive_recovery ||
                          data_.state == ControlState::shut_down_in_recovery;
  const bool standby = data_.standby_signal && !single_user;
  if (standby && (clean || recovering)) {
    data_.state = ControlState::in_archive_recovery;
    data_.min_recovery_end = std::max(data_.min_recovery_end, data_.checkpoint);
  } else if (!clean) {
    data_.state = ControlState::in_crash_recovery;
  }
  process_.after(clean ? pick(milliseconds(200)) : pick(pace_.recovery_max),
                 [this] { end_recovery(); });
}

void Server::end_recovery() {
  replay_to(data_.wal.records.size());
  if (!(data_.standby_signal && phase_ != Phase::single_user) && out_of_space()) return;
  if (phase_ == Phase::single_user) {
    write_checkpoint();
    data_.state = ControlState::shut_down;
    return exit();
  }
  accepting_ = admits_clients_ = true;
  if (data_.standby_signal) {
    phase_ = Phase::standby;
    data_.state = ControlState::in_archive_recovery;
    return seek_source(Duration(0));
  }
  phase_ = Phase::primary;
  data_.state = ControlState::in_production;
  write_checkpoint();
}

// ---- Log -------------------------------------------------------------------------------------

void Server::append(std::uint64_t row, std::uint64_t size) {
  const auto begin = end();
  const auto& records = data_.wal.records;
  const Record record{
      begin, Lsn(begin.value() + size), data_.wal.timeline, row, records.back(), records.size()};
  data_.wal.records.push_back(around_.records.add(record));
  replayed_ = flushed_ = data_.wal.records.size();
  feed_all();
}

// restart_after_crash is off, as wherever an agent looks after a server.
bool Server::out_of_space() {
  if (!disk_full_) return false;
  around_.world.tell(name_, "pg: PANIC: could not write to WAL: No space left on device");
  exit();
  return true;
}

Lsn Server::commit(std::uint64_t row) {
  append(row, row_size);
  return end();
}

void Server::name_standbys(const std::string& names) {
  if (names == standby_names_) return;
  standby_names_ = names;
  if (alive()) commits_.change(names, process_);
}

void Server::write_checkpoint() {
  append(0, checkpoint_size);
  data_.checkpoint = around_.records[data_.wal.records.back()].begin;
  data_.checkpoint_end = end();
  data_.checkpoint_timeline = data_.wal.timeline;
}

void Server::checkpoint(std::function<void()> done) {
  process_.after(pick(pace_.checkpoint_max), [this, done = std::move(done)] {
    if (phase_ == Phase::primary && !out_of_space()) write_checkpoint();
    done();
  });
}

void Server::replay_to(std::size_t count) {
  replayed_ = std::min(std::max(replayed_, count), data_.wal.records.size());
  data_.min_recovery_end = std::max(data_.min_recovery_end, replayed());
}

// ---- Promotion -------------------------------------------------------------------------------

void Server::promote() {
  if (phase_ != Phase::standby) return;
  phase_ = Phase::promoting;
  lose_source();
  process_.after(pick(pace_.promotion_max) + pick(pace_.replay_max), [this] { become_primary(); });
}

void Server::become_primary() {
  if (phase_ != Phase::promoting || out_of_space()) return;
  replay_to(data_.wal.records.size());
  flushed_ = data_.wal.records.size();
  auto& wal = data_.wal;
  wal.history.push_back({wal.timeline, end(), "no recovery target specified", "", ""});
  wal.timeline = Timeline(std::max(wal.timeline, around_.newest_timeline()).value() + 1);
  phase_ = Phase::primary;
  data_.standby_signal = false;
  data_.state = ControlState::in_production;
  append(0, checkpoint_size);
  around_.world.note(end().value());
  if (on_promoted) on_promoted();
}

// ---- The end ---------------------------------------------------------------------------------

void Server::exit(bool silently) {
  const auto who = *identity();
  process_.end();
  commits_.end();
  accepting_ = admits_clients_ = false;
  lose_source();
  receivers_notice_end(silently);
  if (on_exit) on_exit(who);
}

void Server::kill(bool silently) {
  if (!alive()) return;
  if (silently) lose_what_is_not_flushed();
  exit(silently);
}

// With its machine: WAL that a receiver has written and not flushed.
void Server::lose_what_is_not_flushed() {
  auto& wal = data_.wal;
  if (phase_ != Phase::standby || flushed_ >= wal.records.size() || flushed_ == 0) return;
  around_.world.tell(name_, "pg: {} records were not flushed", wal.records.size() - flushed_);
  wal.records.resize(flushed_);
  wal.timeline = around_.records[wal.records.back()].timeline;
  std::erase_if(wal.history, [&](const auto& line) { return line.timeline >= wal.timeline; });
}

void Server::quit() {
  if (alive())
    process_.after(chance_.between(milliseconds(2), milliseconds(60)), [this] { exit(); });
}

void Server::stop_fast() {
  if (!alive() || phase_ == Phase::stopping || phase_ == Phase::single_user) return;
  const bool primary = phase_ == Phase::primary;
  const bool was_standby = phase_ == Phase::standby;
  process_.after(chance_.between(milliseconds(2), milliseconds(50)), [this, primary, was_standby] {
    if (phase_ == Phase::stopping) return;
    phase_ = Phase::stopping;
    accepting_ = admits_clients_ = false;
    commits_.end();
    if (primary) {
      process_.after(pick(pace_.checkpoint_max), [this] { take_shutdown_checkpoint(); });
    } else {
      lose_source();
      process_.after(pick(milliseconds(200)), [this, was_standby] {
        if (was_standby) data_.state = ControlState::shut_down_in_recovery;
        exit();
      });
    }
  });
}

void Server::take_shutdown_checkpoint() {
  if (out_of_space()) return;
  write_checkpoint();
  data_.state = ControlState::shut_down;
  leave_when_all_is_sent();
}

// Its WAL senders end when their receivers have everything.
void Server::leave_when_all_is_sent() {
  for (const auto* receiver : std::views::keys(receivers_)) {
    if (receiver->flushed() < end()) {
      process_.after(milliseconds(10), [this] { leave_when_all_is_sent(); });
      return;
    }
  }
  process_.after(milliseconds(5), [this] { exit(); });
}

}  // namespace tanist::sim
