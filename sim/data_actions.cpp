// SPDX-License-Identifier: Apache-2.0
// Actions on the data directory: creating, copying, rewinding, recovering, and looking at it.
#include "sim/server_actions.h"

namespace tanist::sim {

// ---- New data --------------------------------------------------------------------------------

void ServerActions::perform(const RunPtr& run, const InitializeData&) {
  agent_.after(some(seconds(2)), [this, run] {
    if (run->cancelled) return fail(run, "initdb was cancelled");
    if (server_.data().kind != DataDirectory::absent_or_empty) return fail(run, "not empty");
    DataFolder data;
    data.kind = DataDirectory::present;
    data.system_id =
        SystemId(std::to_string(7'000'000'000'000'000'000U + chance_.below(1'000'000)));
    data.state = ControlState::shut_down;
    data.wal.records.push_back(
        around_.records.add({Lsn(0x1FFFF88), Lsn(0x2000000), Timeline(1), 0}));
    data.checkpoint = Lsn(0x1FFFF88);
    data.checkpoint_end = Lsn(0x2000000);
    data.checkpoint_timeline = Timeline(1);
    server_.data() = std::move(data);
    succeed(run);
  });
}

void ServerActions::perform(const RunPtr& run, const CloneData& action) {
  if (server_.alive()) return fail(run, "nothing is copied: a server runs");
  if (!action.source) return fail(run, "no method works without a source");
  if (server_.data().kind == DataDirectory::present) {
    around_.world.tell(server_.name(), "pg: the data directory is emptied for a copy");
  }
  server_.data() = DataFolder{};
  const auto end = clock_.now() + some(server_.pace().copy_max);
  poll(run, milliseconds(100), [this, run, source = *action.source, end] {
    const auto* from = reachable(source);
    if (run->cancelled) return fail(run, "the copy was cancelled"), true;
    if (from == nullptr) return fail(run, "the source does not answer"), true;
    if (server_.disk_full()) return fail(run, "no space is left on the device"), true;
    if (clock_.now() < end) return false;
    DataFolder data = from->data();
    data.standby_signal = true;
    data.slots.clear();
    data.state = ControlState::in_archive_recovery;
    data.min_recovery_end = from->end();
    server_.data() = std::move(data);
    around_.world.tell(server_.name(), "pg: copied from {}", from->name());
    succeed(run);
    return true;
  });
}

void ServerActions::perform(const RunPtr& run, const EmptyData&) {
  server_.data() = DataFolder{};
  succeed(run);
}

void ServerActions::perform(const RunPtr& run, const SetDataAside&) {
  server_.data() = DataFolder{};
  succeed(run);
}

// ---- Repair ----------------------------------------------------------------------------------

void ServerActions::perform(const RunPtr& run, const RewindData& action) {
  if (server_.alive()) return fail(run, "pg_rewind is not begun: a server runs");
  if (server_.data().rewind_interrupted) return fail(run, "an earlier pg_rewind did not end");
  agent_.after(some(milliseconds(100)), [this, run, source = action.source] {
    const auto* from = reachable(source);
    const bool good = from != nullptr && from->phase() == Phase::primary &&
                      from->data().checkpoint_timeline == from->data().wal.timeline;
    if (good && !run->cancelled) return rewind_from(run, source.host);
    ServerResult result;
    result.error = from == nullptr ? "the source does not answer" : "it has not run a checkpoint";
    result.source_lost = true;
    finish(run, std::move(result));
  });
}

void ServerActions::rewind_from(const RunPtr& run, const std::string& host) {
  server_.data().rewind_interrupted = true;
  server_.data().standby_signal = false;
  const auto end = clock_.now() + some(server_.pace().copy_max / 2);
  poll(run, milliseconds(50), [this, run, host, end] {
    const auto* from = reachable(Upstream{.member = {}, .host = host});
    const bool good = from != nullptr && from->phase() == Phase::primary && !server_.disk_full();
    if (run->cancelled || !good) {
      return fail(run, "pg_rewind failed; the data directory is a mixture of files"), true;
    }
    if (clock_.now() < end) return false;
    auto& data = server_.data();
    data.wal = from->data().wal;
    data.checkpoint = from->data().checkpoint;
    data.checkpoint_end = from->data().checkpoint_end;
    data.checkpoint_timeline = from->data().checkpoint_timeline;
    data.min_recovery_end = from->end();
    data.state = ControlState::in_archive_recovery;
    data.standby_signal = true;
    data.rewind_interrupted = false;
    around_.world.tell(server_.name(), "pg: rewound to {}", from->name());
    succeed(run);
    return true;
  });
}

void ServerActions::perform(const RunPtr& run, const RecoverData&) {
  if (server_.alive()) return fail(run, "nothing is recovered: a server runs");
  if (server_.data().kind != DataDirectory::present || server_.data().rewind_interrupted) {
    return fail(run, "there is nothing to recover");
  }
  const bool standby = server_.data().standby_signal;
  server_.data().standby_signal = false;
  agent_.after(some(milliseconds(40)), [this, run, standby] {
    if (guard_.start_refused(false, true) != 0) return fail(run, "the launcher refuses");
    server_.launch(true);
    hooks_.started(*server_.identity());
    const auto who = server_.identity();
    poll(run, milliseconds(20), [this, run, standby, who] {
      if (run->cancelled) server_.kill();
      if (server_.identity() == who) return false;
      server_.data().standby_signal = standby;
      if (server_.data().state == ControlState::shut_down) return succeed(run), true;
      return fail(run, "crash recovery failed"), true;
    });
  });
}

// ---- Looking ---------------------------------------------------------------------------------

ControlData ServerActions::control() const {
  const auto& data = server_.data();
  ControlData control;
  control.system_id = data.system_id;
  control.state = data.state;
  control.checkpoint = data.checkpoint;
  control.checkpoint_redo = data.checkpoint;
  control.checkpoint_timeline = data.checkpoint_timeline;
  control.checksums = true;
  const bool recovering = data.state == ControlState::in_archive_recovery ||
                          data.state == ControlState::shut_down_in_recovery;
  if (recovering) {
    control.min_recovery_end = data.min_recovery_end;
    control.min_recovery_timeline = data.wal.timeline;
  }
  return control;
}

namespace {

std::vector<SlotFacts> slots_of(const Server& server) {
  std::vector<SlotFacts> slots;
  for (const auto& [name, restart_lsn] : server.data().slots) {
    SlotFacts slot;
    slot.name = name;
    slot.restart_lsn = restart_lsn;
    slot.wal_status = "reserved";
    for (const auto* receiver : server.receivers()) {
      if (slot_name_of(MemberName(receiver->name())) != name) continue;
      slot.active = true;
      slot.restart_lsn = receiver->end();
    }
    slots.push_back(slot);
  }
  return slots;
}

QueryFacts query_of(const Server& server, const ObserveServer& wanted) {
  QueryFacts query;
  query.server_version = 150002;
  query.in_recovery = server.in_recovery();
  query.postmaster_start_time = "2026-01-01 00:00:00+00:00";
  query.synchronous_commit = "on";
  query.synchronous_standby_names = server.commits().shown();
  if (!query.in_recovery) {
    query.timeline = server.data().wal.timeline;
    query.location = server.end();
  } else {
    query.replayed = server.replayed();
    if (server.has_received()) query.received = query.latest_end = server.flushed();
    if (server.streaming()) query.receiver_status = "streaming";
    query.received_timeline = server.data().wal.timeline;
  }
  if (wanted.replication) {
    for (const auto* receiver : server.receivers()) {
      WalSender sender;
      sender.application_name = receiver->name();
      sender.state = "streaming";
      sender.sync_state = server.commits().state_of(receiver->host());
      sender.write_lsn = sender.flush_lsn = server.commits().flushed(receiver->host());
      sender.replay_lsn = std::min(receiver->replayed(), sender.flush_lsn);
      query.wal_senders.push_back(sender);
    }
  }
  if (wanted.slots) query.slots = slots_of(server);
  return query;
}

}  // namespace

ServerFacts ServerActions::look(const ObserveServer& wanted) const {
  ServerFacts facts;
  const auto& data = server_.data();
  facts.data = data.kind;
  facts.major_version = data.kind == DataDirectory::present ? 15 : 0;
  facts.standby_signal = data.standby_signal;
  facts.rewind_interrupted = data.rewind_interrupted;
  facts.postmaster = server_.identity();
  if (facts.postmaster && server_.phase() != Phase::single_user) {
    if (server_.accepts()) {
      facts.readiness = Readiness::accepting;
      facts.query = query_of(server_, wanted);
    } else {
      facts.readiness = server_.hung() ? Readiness::no_answer : Readiness::rejecting;
      facts.query_timed_out = server_.hung();
      facts.query_error = "the server does not answer";
    }
  }
  const bool readable = data.kind == DataDirectory::present;
  if (readable && (!facts.postmaster || wanted.control_data)) facts.control = control();
  return facts;
}

void ServerActions::perform(const RunPtr& run, const ObserveServer& action) {
  const auto began = clock_.now();
  const auto patience = server_.alive() && server_.hung() ? seconds(3) : some(milliseconds(15));
  agent_.after(patience, [this, run, action, began] {
    ServerResult result;
    result.ok = true;
    auto facts = std::make_shared<ServerFacts>(look(action));
    facts->observed_at = began;
    result.facts = std::move(facts);
    finish(run, std::move(result));
  });
}

DivergenceFacts ServerActions::compare_with(const Upstream& leader) const {
  DivergenceFacts facts;
  const auto& data = server_.data();
  const bool in_recovery = data.state == ControlState::in_archive_recovery ||
                           data.state == ControlState::shut_down_in_recovery;
  if (server_.accepts() && server_.in_recovery()) {
    facts.local_is_standby = true;
    facts.local_timeline = data.wal.timeline;
    facts.local_lsn = server_.replayed();
  } else if (!server_.alive() && in_recovery) {
    facts.local_is_standby = true;
    facts.local_timeline = data.wal.timeline;
    facts.local_lsn = data.min_recovery_end;
  } else if (!server_.alive() && data.state == ControlState::shut_down) {
    facts.local_timeline = data.checkpoint_timeline;
    facts.local_lsn = data.checkpoint;
    facts.checkpoint_end = data.checkpoint_end;
  } else {
    facts.error = "the local position is not known";
    return facts;
  }
  facts.local_known = true;
  const auto* from = reachable(leader);
  if (from == nullptr || from->in_recovery()) {  // only a server that takes writes is asked
    facts.error = "the leader does not answer";
    return facts;
  }
  facts.leader_known = true;
  facts.leader_lsn = from->end();
  facts.leader_system_id = from->data().system_id;
  facts.leader_timeline = from->data().wal.timeline;
  if (facts.local_timeline < facts.leader_timeline) facts.leader_history = from->data().wal.history;
  return facts;
}

void ServerActions::perform(const RunPtr& run, const ExamineDivergence& action) {
  agent_.after(some(milliseconds(40)), [this, run, action] {
    ServerResult result;
    result.ok = true;
    result.divergence = compare_with(action.leader);
    finish(run, std::move(result));
  });
}

void ServerActions::perform(const RunPtr& run, const ReadHistory& action) {
  agent_.after(some(milliseconds(5)), [this, run, action] {
    ServerResult result;
    result.ok = action.timeline == server_.data().wal.timeline;
    result.history = server_.data().wal.history;
    if (!result.history.empty()) result.history.back().timestamp = to_iso8601(around_.world.wall());
    finish(run, std::move(result));
  });
}

void ServerActions::perform(const RunPtr& run, const LocateShutdown&) {
  agent_.after(some(milliseconds(20)), [this, run] {
    const auto& data = server_.data();
    if (data.state != ControlState::shut_down) return fail(run, "it is not shut down");
    ServerResult result;
    result.ok = true;
    result.shutdown_checkpoint = result.shutdown_previous = data.checkpoint;
    result.shutdown_timeline = data.wal.timeline;
    result.shutdown_end = data.checkpoint_end;
    finish(run, std::move(result));
  });
}

void ServerActions::perform(const RunPtr& run, const LocateWalEnd&) {
  agent_.after(some(milliseconds(50)), [this, run] {
    if (server_.alive()) return fail(run, "the server is running");
    ServerResult result;
    result.ok = true;
    result.wal_end = server_.end();
    finish(run, std::move(result));
  });
}

void ServerActions::perform(const RunPtr& run, const ChangeSlots& action) {
  agent_.after(some(milliseconds(10)), [this, run, action] {
    if (!server_.accepts()) return fail(run, "the server does not answer");
    for (const auto& change : action.changes) {
      auto& slots = server_.data().slots;
      if (change.what == SlotChange::What::create) slots.emplace(change.slot, server_.end());
      const auto in_use = std::ranges::any_of(slots_of(server_), [&](const SlotFacts& slot) {
        return slot.name == change.slot && slot.active;
      });
      if (change.what == SlotChange::What::drop && !in_use) slots.erase(change.slot);
      if (change.what == SlotChange::What::advance) {
        slots[change.slot] = std::min(change.advance_to, server_.end());
      }
    }
    succeed(run);
  });
}

}  // namespace tanist::sim
