// SPDX-License-Identifier: Apache-2.0
// Commits that wait for standbys.
#include "sim/commit_wait.h"

#include <algorithm>

namespace tanist::sim {

namespace {

// By then every process of the server has read a file that was reloaded.
constexpr Duration reading_time = milliseconds(95);

bool lists(const StandbyNames& names, const std::string& name) {
  return std::ranges::find(names.names, name, &MemberName::value) != names.names.end();
}

}  // namespace

// ---- The setting -----------------------------------------------------------------------------

void CommitWait::begin(const std::string& names) {
  end();
  senders_.clear();
  shown_ = file_ = names;
  checkpointer_ = shown_names_ = parse_standby_names(names);
}

// Everybody reads what the file says by then, so that nobody goes back to an older setting.
void CommitWait::change(const std::string& names, Process& server) {
  file_ = names;
  const auto later = [&] { return chance_.between(Duration(0), reading_time); };
  // The postmaster reads it, and tells the senders that it has started since.
  server.after(later(), [this, last = last_sender_] {
    shown_ = file_;
    shown_names_ = parse_standby_names(shown_);
    for (auto& [host, sender] : senders_) {
      if (sender.number > last) sender.names = parse_standby_names(file_);
    }
  });
  server.after(later(), [this] {
    checkpointer_ = parse_standby_names(file_);
    if (!somebody_is_named()) {
      for (auto& each : std::exchange(waiting_, {})) each.release();
    }
  });
  for (const auto& entry : senders_) {
    server.after(later(), [this, host = entry.first] {
      const auto at = senders_.find(host);
      if (at == senders_.end()) return;
      at->second.names = parse_standby_names(file_);
      if (lists(at->second.names, at->second.name)) release_up_to(at->second.names);
    });
  }
}

// ---- The WAL senders -------------------------------------------------------------------------

void CommitWait::add_sender(Host host, std::string name, Lsn position) {
  senders_[host] = {++last_sender_, std::move(name), shown_names_, position, position};
}

Lsn CommitWait::flushed(Host host) const {
  const auto at = senders_.find(host);
  return at == senders_.end() ? Lsn() : at->second.flushed;
}

// A sender releases by the setting that it knows itself, and only when it is listed there.
void CommitWait::report(Host host, Lsn flushed, Lsn replayed) {
  const auto at = senders_.find(host);
  if (at == senders_.end()) return;
  auto& sender = at->second;
  sender.flushed = std::max(sender.flushed, flushed);
  sender.replayed = std::max(sender.replayed, replayed);
  if (!waiting_.empty() && lists(sender.names, sender.name)) release_up_to(sender.names);
}

// The senders that count: all that are listed, or the first of them in the order of the list.
std::vector<const CommitWait::Sender*> CommitWait::chosen(const StandbyNames& names) const {
  std::vector<const Sender*> found;
  for (const auto& name : names.names) {
    for (const auto& [host, sender] : senders_) {
      if (sender.name == name.value()) found.push_back(&sender);
    }
  }
  const auto count = static_cast<std::size_t>(names.count);
  if (names.kind != StandbyNames::Kind::quorum && found.size() > count) found.resize(count);
  return found;
}

std::string CommitWait::state_of(Host host) const {
  const auto at = senders_.find(host);
  const auto& names = shown_names_;
  if (at == senders_.end() || !lists(names, at->second.name)) return "async";
  if (names.kind == StandbyNames::Kind::quorum) return "quorum";
  const auto counted = chosen(names);
  return std::ranges::find(counted, &at->second) == counted.end() ? "potential" : "sync";
}

// ---- The commits -----------------------------------------------------------------------------

Lsn CommitWait::synced(const StandbyNames& names, CommitLevel level) const {
  const auto counted = chosen(names);
  const auto count = static_cast<std::size_t>(names.count);
  if (count == 0 || counted.size() < count) return {};
  std::vector<Lsn> positions;
  for (const auto* sender : counted) {
    positions.push_back(level == CommitLevel::remote_apply ? sender->replayed : sender->flushed);
  }
  std::ranges::sort(positions, std::greater{});
  return positions[count - 1];
}

void CommitWait::release_up_to(const StandbyNames& names) {
  if (waiting_.empty()) return;
  const auto on = synced(names, CommitLevel::on);
  const auto applied = synced(names, CommitLevel::remote_apply);
  std::vector<Waiting> released;
  std::erase_if(waiting_, [&](Waiting& each) {
    const auto reached = each.level == CommitLevel::remote_apply ? applied : on;
    if (each.position > reached) return false;
    released.push_back(std::move(each));
    return true;
  });
  for (auto& each : released) each.release();
}

void CommitWait::wait(Lsn position, CommitLevel level, std::function<void()> release) {
  if (level == CommitLevel::local || !somebody_is_named()) return release();
  waiting_.push_back({position, level, std::move(release)});
}

void CommitWait::end() { waiting_.clear(); }

}  // namespace tanist::sim
