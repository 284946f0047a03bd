// SPDX-License-Identifier: Apache-2.0
// Steps of the synchronous modes. Pure; any thread.
#include "core/synchronous_mode.h"

#include "core/local_server.h"
#include "core/standby_names.h"
#include "core/start_job.h"
#include "core/synchronous_candidates.h"
#include "core/synchronous_key.h"
#include "core/synchronous_view.h"

namespace tanist {

namespace {

using Kind = StandbyNames::Kind;

// How long a change is watched closely; after that once per cycle.
constexpr Duration watched_closely = seconds(5);
constexpr Duration look_again = milliseconds(200);

bool mode_is_on(const Observation& obs) {
  return obs.cluster->synchronous_mode != SynchronousMode::off && !in_standby_cluster(obs);
}

Kind wanted_kind(const Observation& obs) {
  return obs.cluster->synchronous_mode == SynchronousMode::quorum ? Kind::quorum : Kind::priority;
}

StandbyNames names_of(const Observation& obs, const SyncSetting& setting) {
  if (setting.names.empty()) return {};
  return {wanted_kind(obs), setting.count, {setting.names.begin(), setting.names.end()}};
}

const StandbyNames& placeholder(Kind kind) {
  static const std::vector<MemberName> nobody{MemberName(std::string(strict_sync_placeholder))};
  static const StandbyNames priority{Kind::priority, 1, nobody};
  static const StandbyNames quorum{Kind::quorum, 1, nobody};
  return kind == Kind::quorum ? quorum : priority;
}

// As the member publishes it: PostgreSQL and `/sync` compare without regard to case.
MemberName published_name(const Observation& obs, const MemberName& name) {
  for (const auto& [known, member] : obs.view().members) {
    if (same_name(known, name)) return known;
  }
  return name;
}

NameSet published_names(const Observation& obs, const std::vector<MemberName>& names) {
  NameSet out;
  for (const auto& name : names) out.insert(published_name(obs, name));
  return out;
}

SyncSetting setting_of(const Observation& obs, const StandbyNames& names) {
  auto listed = published_names(obs, names.names);
  const auto count = std::min(names.count, static_cast<std::int64_t>(listed.size()));
  return {std::move(listed), count};
}

SyncKey key_of(const Observation& obs) {
  const auto& sync = obs.view().sync;
  if (!sync || !sync->active()) return {};
  auto voters = published_names(obs, sync->standbys);
  voters.erase(obs.node->name);
  return {std::move(voters), sync->quorum};
}

bool key_is_mine(const Observation& obs) {
  const auto& sync = obs.view().sync;
  return sync && same_name(sync->leader, obs.node->name);
}

// ---- What the server is known to work with -----------------------------------------------------

// Who is known to hold everything when this process first looks: with quorum 0 each voter alone
// could have been elected.
NameSet ready_at_first(const Observation& obs, const SyncSetting& setting) {
  const auto key = key_of(obs);
  const bool each = key_is_mine(obs) && key.quorum == 0 && is_safe(key, setting);
  return each ? key.voters : NameSet{};
}

void note_setting(Draft& draft) {
  const auto& obs = draft.obs;
  auto& proof = draft.next.sync;
  const auto& text = obs.local.server.query->synchronous_standby_names;
  if (!proof.ordered) proof.ordered = text;
  if (proof.effective == text) return;
  const auto setting = setting_of(obs, parse_standby_names(text));
  NameSet ready;
  if (!proof.effective) {
    ready = ready_at_first(obs, setting);
  } else {
    const auto before = setting_of(obs, parse_standby_names(*proof.effective));
    ready = still_ready(before, setting, {proof.ready.begin(), proof.ready.end()});
  }
  proof.ready.assign(ready.begin(), ready.end());
  proof.effective = text;
  proof.effective_at = obs.local.server.observed_at;
  proof.since = Lsn();
}

// Each WAL sender reads the setting for itself; one that has not yet may release commits by the old
// one.
bool senders_agree(const Observation& obs, const NameSet& listed) {
  return std::ranges::all_of(obs.local.server.query->wal_senders, [&](const WalSender& sender) {
    const auto name = published_name(obs, MemberName(sender.application_name));
    return listed.contains(name) || sender.sync_state == "async" || sender.sync_state.empty();
  });
}

void note_ready(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& query = *obs.local.server.query;
  auto& proof = draft.next.sync;
  const auto listed = setting_of(obs, parse_standby_names(*proof.effective)).names;
  const bool settled = obs.local.server.observed_at >= proof.effective_at + standby_names_settle;
  if (proof.since == Lsn() && settled && senders_agree(obs, listed)) proof.since = query.location;
  if (proof.since == Lsn()) return;
  for (const auto& sender : query.wal_senders) {
    const auto name = published_name(obs, MemberName(sender.application_name));
    const bool synchronous = sender.sync_state == "sync" || sender.sync_state == "quorum";
    if (sender.state != "streaming" || !synchronous || !listed.contains(name)) continue;
    if (sync_position(query, sender) < proof.since) continue;
    if (std::ranges::find(proof.ready, name) == proof.ready.end()) proof.ready.push_back(name);
  }
}

// Nothing was changed after these facts were gathered.
bool facts_are_newer_than_effects(Draft& draft) {
  const auto end = draft.obs.ends.find(Task::server);
  const bool newer =
      end == draft.obs.ends.end() || draft.obs.local.server.observed_at >= end->second.at;
  if (!newer) draft.wake(milliseconds(20));
  return newer;
}

// ---- Steps
// ---------------------------------------------------------------------------------------

void order_setting(Draft& draft, std::optional<std::string> text) {
  auto goal = current_goal(draft.obs);
  goal.synchronous_standby_names = std::move(text);
  draft.start(Task::server, ServerAction(ReloadServer{.goal = std::move(goal), .always = false}),
              no_limit);
  draft.wake(look_again);
}

void assign(Draft& draft, const StandbyNames& names) {
  const auto text = to_text(names);
  draft.log(LineLevel::info, "Assigning synchronous_standby_names to {}",
            text.empty() ? "None" : text);
  draft.next.sync.ordered = text;
  order_setting(draft, text);
}

// The value that was ordered last does not work yet. It is ordered again when that takes long.
bool awaits_setting(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& proof = draft.next.sync;
  if (parse_standby_names(*proof.effective) == parse_standby_names(*proof.ordered)) return false;
  const auto end = obs.ends.find(Task::server);
  const auto again = (end == obs.ends.end() ? Instant() : end->second.at) + watched_closely;
  if (obs.now >= again) {
    order_setting(draft, proof.ordered);
  } else {
    draft.wake(look_again);
  }
  return true;
}

void publish(Draft& draft, const SyncKey& key) {
  const auto& me = draft.obs.node->name;
  if (wanted_kind(draft.obs) == Kind::quorum) {
    draft.log(LineLevel::info, "Setting leader to {}, quorum to {} of {} ({})", me.value(),
              key.quorum, key.voters.size(), listed_text(key.voters, ", "));
  } else if (key_of(draft.obs).voters.size() > key.voters.size()) {
    draft.log(LineLevel::info, "Updating /sync key temporarily from [{}] to [{}]",
              listed_text(key_of(draft.obs).voters, ", "), listed_text(key.voters, ", "));
  } else {
    draft.log(LineLevel::info, "Synchronous standby status assigned to [{}]",
              listed_text(key.voters, ", "));
  }
  write_sync_key(draft, me, key);
}

// `/sync` must speak of this leader before anything else (contract ha 16.3, rows 1 and 2).
bool takes_key_over(Draft& draft) {
  const auto& obs = draft.obs;
  if (key_is_mine(obs)) return false;
  const auto& sync = obs.view().sync;
  if (!sync || !sync->active()) {
    draft.log(LineLevel::info, "Enabled synchronous replication");
  } else {
    draft.log(LineLevel::warning, "the leader in /sync is {}, taking it over",
              sync->leader.value());
  }
  write_sync_key(draft, obs.node->name, {});
  return true;
}

// Somebody changed the setting behind our back: nobody may be elected by the old key.
bool empties_unsafe_key(Draft& draft) {
  const auto& obs = draft.obs;
  const auto setting = setting_of(obs, parse_standby_names(*draft.next.sync.effective));
  if (is_safe(key_of(obs), setting)) return false;
  draft.log(LineLevel::warning,
            "synchronous_standby_names is '{}', with which /sync would not be safe",
            *draft.next.sync.effective);
  publish(draft, {});
  return true;
}

// Strict mode with nobody to replicate to: commits go on waiting (contract ha 16.4).
void hold_strictly(Draft& draft) {
  const auto& obs = draft.obs;
  const auto key = key_of(obs);
  auto setting = setting_for(key);
  setting.count = std::max<std::int64_t>(setting.count, 1);
  const auto wanted =
      setting.names.empty() ? placeholder(wanted_kind(obs)) : names_of(obs, setting);
  const auto& old = obs.local.server.query->synchronous_standby_names;
  const bool same = setting_of(obs, parse_standby_names(old)) == setting_of(obs, wanted);
  if (!draft.next.sync.warned) {
    const auto goes_on =
        same && !key.voters.empty()
            ? format_text("Continue using old value of synchronous_standby_names=\"{}\". ", old)
            : std::string();
    draft.log(LineLevel::warning,
              "No active replication connections from Patroni members and synchronous_mode_strict "
              "is requested. {}Commits will be delayed.",
              goes_on);
  }
  draft.next.sync.warned = true;
  if (!same) assign(draft, wanted);
}

void wait_for_standbys(Draft& draft) {
  const auto& proof = draft.next.sync;
  if (draft.obs.now < proof.effective_at + watched_closely) draft.wake(look_again);
}

void take_step(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& proof = draft.next.sync;
  const auto effective = parse_standby_names(*proof.effective);
  const SyncState state{.key = key_of(obs),
                        .setting = setting_of(obs, effective),
                        .ready = {proof.ready.begin(), proof.ready.end()}};
  const auto goal = sync_goal(obs);
  if (goal.names.empty() && obs.cluster->synchronous_mode_strict) return hold_strictly(draft);
  draft.next.sync.warned = false;
  const auto step = next_sync_step(state, goal);
  if (const auto* key = std::get_if<SyncKey>(&step)) return publish(draft, *key);
  if (const auto* setting = std::get_if<SyncSetting>(&step)) {
    return assign(draft, names_of(obs, *setting));
  }
  const auto kind = goal.names.empty() ? Kind::none : wanted_kind(obs);
  if (effective.kind != kind) return assign(draft, names_of(obs, {goal.names, goal.count}));
  if (std::holds_alternative<SyncWait>(step)) wait_for_standbys(draft);
}

// The key goes first, then the setting returns to the user's own (contract ha 16.7).
void leave_mode(Draft& draft) {
  const auto& sync = draft.obs.view().sync;
  const bool listed = sync && sync->active();
  if (!listed && !draft.next.sync.ordered) return;
  if (draft.busy(Task::write_sync) || draft.busy(Task::server)) return;
  if (!sync_key_is_settled(draft)) return;
  if (listed) {
    draft.next.sync.ordered = draft.next.sync.ordered.value_or("");
    return delete_sync_key(draft);
  }
  draft.next.sync = SyncProof{};
  order_setting(draft, std::nullopt);
}

}  // namespace

void keep_synchronous(Draft& draft) {
  const auto& obs = draft.obs;
  if (in_standby_cluster(obs)) return;
  if (!mode_is_on(obs)) return leave_mode(draft);
  if (draft.busy(Task::write_sync) || draft.busy(Task::server) || !obs.local.server.query) return;
  if (!facts_are_newer_than_effects(draft) || !sync_key_is_settled(draft)) return;
  note_setting(draft);
  note_ready(draft);
  if (takes_key_over(draft) || empties_unsafe_key(draft) || awaits_setting(draft)) return;
  take_step(draft);
}

bool ends_foreign_sync_key(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& sync = obs.view().sync;
  if (!sync || !sync->active() || in_sync(*sync, obs.node->name)) return false;
  if (!draft.busy(Task::write_sync) && sync_key_is_settled(draft)) delete_sync_key(draft);
  return true;
}

namespace {

// The key to be promoted with: the same set of nodes; in priority mode without `strict` nobody.
SyncKey key_after_promotion(const Observation& obs) {
  const auto& sync = obs.view().sync;
  if (!sync || !sync->active()) return {};
  const bool strict = obs.cluster->synchronous_mode_strict;
  const bool priority = obs.cluster->synchronous_mode == SynchronousMode::priority;
  if (priority && !strict && sync->quorum == 0) return {};
  return inherited_key(published_name(obs, sync->leader),
                       {published_names(obs, sync->standbys), sync->quorum}, obs.node->name);
}

std::string names_after_promotion(const Observation& obs) {
  auto setting = setting_for(key_after_promotion(obs));
  const bool strict = obs.cluster->synchronous_mode_strict;
  if (setting.names.empty()) return strict ? to_text(placeholder(wanted_kind(obs))) : "";
  setting.count = std::max<std::int64_t>(setting.count, strict ? 1 : 0);
  return to_text(names_of(obs, setting));
}

}  // namespace

std::optional<Why> prepare_synchronous_promotion(Draft& draft) {
  const auto& obs = draft.obs;
  if (in_standby_cluster(obs)) return std::nullopt;
  if (!mode_is_on(obs)) {
    const bool listed = obs.view().sync && obs.view().sync->active();
    if (listed && !draft.busy(Task::write_sync) && sync_key_is_settled(draft)) {
      delete_sync_key(draft);
    }
    draft.next.sync = SyncProof{};
    return std::nullopt;
  }
  if (draft.busy(Task::write_sync)) return because(Reason::observing);
  if (!sync_key_is_settled(draft)) return because(Reason::leader_awaits_sync_key);
  const auto key = key_after_promotion(obs);
  if (!key_is_mine(obs) || key_of(obs) != key) {
    write_sync_key(draft, obs.node->name, key);
    return because(Reason::observing);
  }
  draft.next.sync = SyncProof{};
  draft.next.sync.ordered = names_after_promotion(obs);
  return std::nullopt;
}

std::optional<std::string> names_for_primary(const Observation& obs, const Memory& memory) {
  if (memory.sync.ordered) return memory.sync.ordered;
  const bool listed = obs.store.view && obs.view().sync && obs.view().sync->active();
  if (memory.bootstrapping || (!mode_is_on(obs) && !listed)) return std::nullopt;
  const auto& query = obs.local.server.query;
  if (query && !query->in_recovery) return query->synchronous_standby_names;
  return listed ? std::optional(to_text(names_of(obs, setting_for(key_of(obs))))) : std::nullopt;
}

std::optional<std::string> names_for_standby(const Observation& obs) {
  return mode_is_on(obs) ? std::optional(std::string()) : std::nullopt;
}

}  // namespace tanist
