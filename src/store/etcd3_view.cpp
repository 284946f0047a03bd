// SPDX-License-Identifier: Apache-2.0
// Reading, watching, and doubting the watch. Pure; owned by one machine.
#include "store/etcd3_view.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "store/etcd3_operation.h"

namespace tanist::store {

namespace {

constexpr Owner keeper{Owner::Part::view, {}};
constexpr Duration read_time = seconds(10);
constexpr Duration pause_after_failure = seconds(1);
// etcd is asked for the watch's progress after the first, the watch is moved after the second.
constexpr Duration event_time = seconds(1);
constexpr Duration progress_time = seconds(1);
constexpr Duration opening_time = seconds(2);
constexpr Duration check_interval = std::chrono::minutes(10);
constexpr Duration check_retry = std::chrono::minutes(1);

}  // namespace

void ViewKeeper::start(Surroundings at) { read(at); }

void ViewKeeper::read(Surroundings at) {
  state_ = State::reading;
  retry_at_ = Instant::max();
  const auto& paths = at.cache.paths();
  read_call_ = at.calls.begin(at.step, keeper,
                              {wire::RangeRequest{paths.prefix(), paths.range_end()},
                               at.step.now + read_time,
                               Repeat::while_time_lasts,
                               {}});
}

void ViewKeeper::close_watch(Surroundings at) {
  if (state_ == State::opening || state_ == State::watching) at.step.say(CloseWatch{stream_});
  at.calls.drop_all(at.step, keeper);
  behind_since_ = progress_asked_at_ = check_at_ = retry_at_ = Instant::max();
  check_call_.reset();
  check_keys_.reset();
  state_ = State::idle;
}

void ViewKeeper::rebuild(Surroundings at) {
  close_watch(at);
  read(at);
}

void ViewKeeper::start_over(Surroundings at) {
  at.cache.forget();
  has_view_ = false;
  rebuild(at);
}

void ViewKeeper::try_again(Surroundings at, Duration pause) {
  close_watch(at);
  retry_at_ = at.step.now + pause;
}

// To another endpoint, if there is one.
void ViewKeeper::move_watch(Surroundings at) {
  at.calls.endpoints().failed(endpoint_, at.step.now);
  rebuild(at);
}

void ViewKeeper::open_watch(Surroundings at, std::string endpoint) {
  state_ = State::opening;
  stream_ = at.calls.next_rpc_id();
  endpoint_ = std::move(endpoint);
  opened_at_ = at.step.now;
  const auto& paths = at.cache.paths();
  at.step.say(OpenWatch{stream_,
                        endpoint_,
                        {paths.prefix(), paths.range_end(), Revision(position_.value() + 1)},
                        at.calls.tokens().token()});
}

void ViewKeeper::done(Surroundings at, Outcome outcome) {
  if (check_call_ == outcome.id) return check_done(at, outcome);
  if (state_ == State::reading && outcome.id == read_call_) read_done(at, outcome);
}

void ViewKeeper::read_done(Surroundings at, const Outcome& outcome) {
  const auto* answer = outcome.answer<wire::RangeAnswer>();
  if (answer == nullptr) return try_again(at, pause_after_failure);
  at.cache.replace(stored_keys(answer->kvs), answer->header.revision);
  has_view_ = true;
  position_ = answer->header.revision;
  check_at_ = at.step.now + check_interval;
  open_watch(at, outcome.endpoint);
}

void ViewKeeper::said(Surroundings at, const WatchSaid& input) {
  const bool listening = state_ == State::opening || state_ == State::watching;
  if (!listening || input.stream != stream_) return;
  const auto& message = input.message;
  if (!at.calls.believe(at.step, message.header, endpoint_)) return rebuild(at);
  if (message.cancelled) {
    // One that is refused at once is not asked for again at once.
    const bool at_once = at.step.now - opened_at_ >= pause_after_failure;
    return at_once ? rebuild(at) : try_again(at, pause_after_failure);
  }
  if (message.created) {
    // Its header says what the store holds, not what this watch has shown.
    state_ = State::watching;
    return;
  }
  apply(at, message);
  check(at);
}

void ViewKeeper::apply(Surroundings at, const wire::WatchMessage& message) {
  std::vector<KeyChange> changes;
  auto revision = message.events.empty() ? message.header.revision : Revision(0);
  for (const auto& event : message.events) {
    changes.push_back({event.kv.key, event.kv.mod_revision, std::nullopt});
    if (!event.deleted) changes.back().value = stored(event.kv);
    revision = std::max(revision, event.kv.mod_revision);
  }
  at.cache.apply(changes);
  position_ = std::max(position_, revision);
}

void ViewKeeper::ended(Surroundings at, const WatchEnded& input) {
  const bool listening = state_ == State::opening || state_ == State::watching;
  if (!listening || input.stream != stream_) return;
  if (blames_endpoint(sort_out(input.error))) {
    at.calls.endpoints().failed(endpoint_, at.step.now);
  }
  const bool at_once = at.step.now - opened_at_ >= pause_after_failure;
  if (at_once) {
    rebuild(at);
  } else {
    try_again(at, pause_after_failure);
  }
}

void ViewKeeper::compare_with_answers(Surroundings at) {
  if (state_ != State::opening && state_ != State::watching) return;
  if (at.calls.endpoints().current() != endpoint_) return rebuild(at);
  const bool waiting = behind_since_ != Instant::max();
  if (waiting && position_ >= behind_) behind_since_ = progress_asked_at_ = Instant::max();
  if (behind_since_ != Instant::max() || at.calls.heard() <= position_) return;
  behind_ = at.calls.heard();
  behind_since_ = at.step.now;
}

void ViewKeeper::tick(Surroundings at) {
  const auto now = at.step.now;
  if (state_ == State::idle && retry_at_ <= now) return read(at);
  if (state_ == State::opening && now - opened_at_ >= opening_time) return move_watch(at);
  if (state_ != State::watching) return;
  if (progress_asked_at_ != Instant::max()) {
    if (now - progress_asked_at_ >= progress_time) return move_watch(at);
  } else if (behind_since_ != Instant::max() && now - behind_since_ >= event_time) {
    progress_asked_at_ = now;
    at.step.say(AskProgress{stream_});
  }
  if (check_at_ > now) return;
  check_at_ = now + check_interval;
  const auto& paths = at.cache.paths();
  check_call_ = at.calls.begin(at.step, keeper,
                               {wire::RangeRequest{paths.prefix(), paths.range_end()},
                                now + read_time,
                                Repeat::while_time_lasts,
                                {}});
}

void ViewKeeper::check_done(Surroundings at, const Outcome& outcome) {
  check_call_.reset();
  const auto* answer = outcome.answer<wire::RangeAnswer>();
  if (answer == nullptr) {
    check_at_ = at.step.now + check_retry;
    return;
  }
  check_keys_ = stored_keys(answer->kvs);
  check_revision_ = answer->header.revision;
  check(at);
}

// Compares once the watch has come as far as the read; if it never does, it is moved anyway.
void ViewKeeper::check(Surroundings at) {
  if (!check_keys_ || position_ < check_revision_) return;
  const auto keys = *std::exchange(check_keys_, std::nullopt);
  const auto wrong = at.cache.differences(keys, check_revision_);
  if (wrong.empty()) return;
  at.step.warn(format_text("the watch of etcd at {} has missed changes of {}: read anew", endpoint_,
                           format_text("{}", fmt::join(wrong, ", "))));
  at.cache.replace(keys, check_revision_);
  rebuild(at);
}

Instant ViewKeeper::wake_at() const {
  auto earliest = std::min(retry_at_, check_at_);
  if (state_ == State::opening) earliest = std::min(earliest, opened_at_ + opening_time);
  if (state_ != State::watching) return earliest;
  if (progress_asked_at_ != Instant::max()) {
    return std::min(earliest, progress_asked_at_ + progress_time);
  }
  if (behind_since_ == Instant::max()) return earliest;
  return std::min(earliest, behind_since_ + event_time);
}

}  // namespace tanist::store
