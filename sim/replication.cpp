// SPDX-License-Identifier: Apache-2.0
// Streaming replication between modelled servers: who may stream from whom (timelines), sending in
// order, connections that break at once with a process and late with a machine or a link.
#include <algorithm>
#include <utility>

#include "core/types.h"
#include "sim/server.h"

namespace tanist::sim {

namespace {

constexpr Duration retry_interval = seconds(5);  // wal_retrieve_retry_interval
constexpr Duration receiver_timeout = seconds(30);
constexpr Duration resend_interval = milliseconds(200);

}  // namespace

void Server::set_upstream(std::optional<Upstream> upstream) {
  const auto host_of = [](const auto& u) { return u ? u->host : std::string(); };
  const bool same = host_of(upstream) == host_of(upstream_);
  upstream_ = std::move(upstream);
  if (same || phase_ != Phase::standby) return;
  lose_source();
  seek_source(chance_.between(milliseconds(5), milliseconds(100)));
}

void Server::seek_source(Duration delay) {
  const auto number = ++seeking_;
  process_.after(delay, [this, number] {
    if (number == seeking_ && phase_ == Phase::standby && source_ == nullptr) connect();
  });
}

// Why `source` cannot send us what follows; empty = it can. As PostgreSQL decides it: by timelines
// and positions, not by looking at the log.
std::string Server::hindrance(const Server& source) const {
  if (!source.accepts() || source.phase_ == Phase::promoting) return "it takes no connections";
  const auto mine = data_.wal.timeline;
  const auto theirs = source.data_.wal.timeline;
  if (theirs < mine) return "its timeline is older";
  if (end() > source.end()) return "its WAL ends before ours";
  if (theirs > mine) {
    const auto& history = source.data_.wal.history;
    const auto line = std::ranges::find(history, mine, &HistoryLine::timeline);
    if (line == history.end()) return "its history does not know our timeline";
    if (end() > line->switch_lsn) return "its timeline forked off before our end";
  }
  if (!source.keeps_wal_for(*this)) return "the WAL that follows ours has been removed";
  // Where the numbers deceive, the first record that does not fit ends the stream.
  if (!data_.wal.is_prefix_of(source.data_.wal)) return "its WAL does not continue ours";
  return {};
}

// By its size, or because a slot holds it back.
bool Server::keeps_wal_for(const Server& receiver) const {
  const auto& limits = around_.wal_limits;
  const auto behind = [&](Lsn position) { return end().value() - position.value(); };
  if (behind(receiver.end()) <= limits.kept) return true;
  const auto slot = data_.slots.find(slot_name_of(MemberName(receiver.name_)));
  return slot != data_.slots.end() && slot->second <= receiver.end() &&
         behind(slot->second) <= limits.slot_max;
}

void Server::connect() {
  auto* source = upstream_ ? around_.find(upstream_->host) : nullptr;
  if (source == nullptr || source == this) return seek_source(retry_interval);
  const bool linked = around_.network.connected(host_, source->host_);
  auto why_not = linked ? hindrance(*source) : std::string("no answer");
  if (disk_full_) why_not = "no space is left for its WAL";
  why_not_streaming_ = why_not;
  if (!why_not.empty()) {
    around_.world.tell(name_, "pg: cannot stream from {}: {}", source->name_, why_not);
    return seek_source(retry_interval);
  }
  source_ = source;
  has_received_ = true;
  ++stream_;
  heard_at_ = around_.world.now();
  source->receivers_[this] = false;
  source->commits_.add_sender(host_, name_, end());
  around_.world.tell(name_, "pg: streams from {} on timeline {}", source->name_,
                     source->data_.wal.timeline.value());
  source->feed(this);
}

void Server::lose_source() {
  if (source_ == nullptr) return;
  source_->receivers_.erase(this);
  source_->commits_.remove_sender(host_);
  const auto slot = source_->data_.slots.find(slot_name_of(MemberName(name_)));
  if (slot != source_->data_.slots.end()) slot->second = flushed();
  source_ = nullptr;
  ++stream_;
  if (alive() && phase_ == Phase::standby) seek_source(retry_interval);
}

void Server::feed_all() {
  for (auto& [receiver, is_fed] : receivers_) feed(receiver, is_fed);
}

void Server::feed(Server* receiver) {
  const auto at = receivers_.find(receiver);
  if (at != receivers_.end()) feed(receiver, at->second);
}

// One message at a time to each receiver, with all that is flushed here.
void Server::feed(Server* receiver, bool& is_fed) {
  const auto count = flushed_;
  if (receiver->data_.wal.records.size() >= count) return;
  if (std::exchange(is_fed, true)) return;
  auto delay = around_.network.delay(host_, receiver->host_);
  while (around_.network.loses(host_, receiver->host_)) delay += resend_interval;
  around_.world.after(delay, [this, receiver, count, stream = receiver->stream_] {
    receiver->receive(this, count, stream);
  });
}

void Server::receive(Server* source, std::size_t count, std::uint64_t stream) {
  if (stream != stream_ || source_ != source) return;
  if (!around_.network.connected(source->host_, host_) || hung()) {
    if (around_.world.now() - heard_at_ > receiver_timeout) return lose_source();
    around_.world.after(resend_interval,
                        [this, source, count, stream] { receive(source, count, stream); });
    return;
  }
  heard_at_ = around_.world.now();
  if (const auto at = source->receivers_.find(this); at != source->receivers_.end()) {
    at->second = false;
  }
  if (!source->alive()) return;
  if (disk_full_) return lose_source();
  take_records(source->data_.wal, count);
  const auto all = data_.wal.records.size();
  flush_and_report(all);
  process_.after(pick(pace_.replay_max), [this, all] {
    if (phase_ != Phase::standby) return;
    flush_to(all);
    replay_to(all);
    if (source_ != nullptr) report_to_source();
  });
  source->feed(this);
}

void Server::flush_to(std::size_t count) {
  if (count <= flushed_) return;
  flushed_ = std::min(count, data_.wal.records.size());
  feed_all();
}

// Where nobody waits for it and the replay is quick, it is flushed together with that: it costs no
// event of its own.
void Server::flush_and_report(std::size_t count) {
  const bool hurries =
      source_->commits_.somebody_is_named() || pace_.replay_max > Pace{}.replay_max;
  if (!hurries) return;
  process_.after(pick(pace_.flush_max), [this, count, source = source_, stream = stream_] {
    flush_to(count);
    send_report(source, stream);
  });
}

// What the source is told of our positions, when it is flushed. Where nobody waits for it, it costs
// no message here.
void Server::report_to_source() {
  if (!source_->commits_.somebody_is_named()) {
    return source_->commits_.report(host_, flushed(), replayed());
  }
  process_.after(pick(pace_.flush_max),
                 [this, source = source_, stream = stream_] { send_report(source, stream); });
}

void Server::send_report(Server* source, std::uint64_t stream) {
  if (stream != stream_ || source_ != source) return;
  if (around_.network.is_cut(host_, source->host_) || around_.network.loses(host_, source->host_)) {
    process_.after(resend_interval, [this, source, stream] { send_report(source, stream); });
    return;
  }
  const auto arrive = [this, source, stream, flushed = flushed(), applied = replayed()] {
    source->process_.after(Duration(0), [this, source, stream, flushed, applied] {
      if (stream == stream_ && source_ == source) source->commits_.report(host_, flushed, applied);
    });
  };
  around_.world.after(around_.network.delay(host_, source->host_), arrive);
}

// A timeline is known from its first record on.
void Server::take_records(const Wal& from, std::size_t count) {
  auto& mine = data_.wal.records;
  const auto end = std::min(count, from.records.size());
  for (auto i = mine.size(); i < end; ++i) mine.push_back(from.records[i]);
  if (mine.empty()) return;
  data_.wal.timeline = around_.records[mine.back()].timeline;
  data_.wal.history.clear();
  for (const auto& line : from.history) {
    if (line.timeline < data_.wal.timeline) data_.wal.history.push_back(line);
  }
}

// A machine that vanishes resets no connection.
void Server::receivers_notice_end(bool silently) {
  const auto receivers = std::exchange(receivers_, {});
  for (const auto& [at, is_fed] : receivers) {
    auto* receiver = at;
    const auto lose = [this, receiver, stream = receiver->stream_] {
      if (receiver->source_ == this && receiver->stream_ == stream) receiver->lose_source();
    };
    if (!silently) around_.network.send(host_, receiver->host_, lose);
    around_.world.after(receiver_timeout, lose);
  }
}

}  // namespace tanist::sim
