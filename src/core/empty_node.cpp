// SPDX-License-Identifier: Apache-2.0
// Bootstrap and cloning. Pure; any thread.
#include "core/empty_node.h"

#include "core/local_server.h"
#include "core/published_values.h"
#include "core/start_job.h"
#include "core/upstream.h"

namespace tanist {

namespace {

std::uint64_t chance(const Observation& obs) {
  return static_cast<std::uint64_t>(obs.now.time_since_epoch().count());
}

void release_lock(Draft& draft) {
  const auto& obs = draft.obs;
  Memory without_data = draft.next;
  without_data.role = Role::uninitialized;
  draft.start(Task::release_lock,
              ReleaseLock{.reign = *obs.lock.reign,
                          .status = std::nullopt,
                          .member = text_form(member_value(obs, without_data))},
              Duration(obs.timing.retry_timeout));
}

// A leftover postmaster of a deleted directory is ended before anything takes its place (trap 103).
Why release_without_data(Draft& draft, Reason reason) {
  const auto& obs = draft.obs;
  draft.next.role = Role::uninitialized;
  if (server_alive(obs)) {
    draft.start(Task::fence, ServerAction(FenceServer{milliseconds(200)}), no_limit);
  } else if (obs.holds_lock()) {
    release_lock(draft);
    return because(reason == Reason::data_not_accessible ? Reason::data_not_accessible_lock_released
                                                         : Reason::data_lost_lock_released,
                   obs.node->name.value());
  }
  return because(reason, obs.node->name.value(), obs.local.server.data_error);
}

// Who has seen this cluster with a leader makes no other one: the store has lost its data, and the
// members who have theirs will say so (trap 5).
bool cluster_is_known(const Observation& obs) {
  return obs.memory->locked_view && obs.memory->locked_view->locked();
}

bool may_bootstrap(const Observation& obs) {
  return !obs.view().locked() && !obs.view().initialize && !cluster_is_known(obs) &&
         !obs.node->tags.nofailover() && obs.node->has_bootstrap;
}

// `initialize` is claimed under the own lease, so that a claim dies with its claimer (trap 105).
Commit claim() {
  Commit commit;
  commit.expect = {{StoreKey::initialize, Revision(0)}};
  commit.writes = {{StoreKey::initialize, "", true}};
  return commit;
}

Why begin_bootstrap(Draft& draft) {
  draft.next.bootstrapping = true;
  draft.next.bootstrap_key = draft.obs.view().initialize->revision;
  auto job = make_job(JobKind::bootstrap, "bootstrap");
  job.start_timeout = draft.obs.cluster->primary_start_timeout;
  begin(draft, std::move(job));
  return because(Reason::bootstrap_started);
}

// A copy of the remote server instead of initdb (contract ha 5.3).
Why begin_standby_bootstrap(Draft& draft) {
  draft.next.bootstrapping = true;
  draft.next.bootstrap_key = draft.obs.view().initialize->revision;
  auto job = make_job(JobKind::bootstrap_standby, "bootstrap_standby_leader");
  job.start_timeout = draft.obs.cluster->primary_start_timeout;
  job.goal.standby = true;
  job.source = remote_source(draft.obs);
  begin(draft, std::move(job));
  return because(Reason::bootstrap_standby_started);
}

// Some method of those that are in force here copies without a source.
bool has_leaderless_method(const Observation& obs) {
  if (!in_standby_cluster(obs)) return obs.node->leaderless_clone;
  return std::ranges::any_of(obs.cluster->standby_cluster->create_replica_methods,
                             [&](const std::string& method) {
                               return std::ranges::count(obs.node->leaderless_methods, method) != 0;
                             });
}

Why begin_leaderless_clone(Draft& draft, std::optional<Upstream> source) {
  auto job = make_job(JobKind::clone, "bootstrap (without leader)");
  job.goal.standby = true;
  job.source = std::move(source);
  begin(draft, std::move(job));
  return because(Reason::cloning_without_leader);
}

// Nobody has led a standby cluster for a whole ttl: perhaps nobody has data to lead with. The
// remote server has them; a copy from there may be a long way, and is not begun for a moment
// without a lock.
std::optional<Upstream> remote_after_a_while(Draft& draft) {
  const auto& obs = draft.obs;
  const bool founded = obs.view().initialize && is_valid(obs.view().initialize->system_id);
  const auto& since = draft.next.unlocked_since;
  if (!founded || obs.view().locked() || !since || !in_standby_cluster(obs)) return std::nullopt;
  const auto begin_at = *since + Duration(obs.timing.ttl);
  if (obs.now < begin_at) {
    draft.wake(begin_at);
    return std::nullopt;
  }
  return remote_source(obs);
}

Why wait_for_leader(const Observation& obs) {
  return because(in_standby_cluster(obs) ? Reason::waiting_for_standby_leader
                                         : Reason::waiting_for_leader);
}

// The claim succeeded when the key that appeared hangs on our own lease.
bool claim_is_ours(const Observation& obs) {
  const auto& initialize = obs.view().initialize;
  return initialize && initialize->system_id.value().empty() &&
         initialize->lease == obs.store.lease && obs.store.lease != LeaseId(0);
}

Why claim_cluster(Draft& draft) {
  const auto& obs = draft.obs;
  const auto end = obs.ends.find(Task::claim_initialize);
  const bool refused = end != obs.ends.end() && end->second.at >= obs.cycle_began &&
                       end->second.verdict == StoreVerdict::refused;
  if (refused) return because(Reason::bootstrap_claim_lost);
  draft.start(Task::claim_initialize, claim(), Duration(obs.timing.retry_timeout));
  return because(Reason::bootstrap_claiming);
}

bool recently_failed(Draft& draft) {
  const auto& failed_at = draft.next.last_start_failed_at;
  if (!failed_at) return false;
  const auto again = *failed_at + Duration(draft.obs.timing.loop_wait);
  if (draft.obs.now >= again) return false;
  draft.wake(again);
  return true;
}

Why begin_clone(Draft& draft) {
  const auto& obs = draft.obs;
  const auto source = clone_source(obs, chance(obs));
  if (!source || recently_failed(draft)) return wait_for_leader(obs);
  const bool from_leader = obs.view().locked_by(source->member);
  auto job = make_job(JobKind::clone,
                      format_text("bootstrap from {} '{}'", from_leader ? "leader" : "replica",
                                  source->member.value()));
  job.goal.standby = true;
  job.source = source;
  begin(draft, std::move(job));
  return because(from_leader ? Reason::cloning_from_leader : Reason::cloning_from_replica,
                 source->member.value());
}

Why fill_data_directory(Draft& draft) {
  const auto& obs = draft.obs;
  if (claim_is_ours(obs)) {
    return in_standby_cluster(obs) ? begin_standby_bootstrap(draft) : begin_bootstrap(draft);
  }
  if (may_bootstrap(obs)) return claim_cluster(draft);
  if (obs.view().locked() && !obs.view().locked_by(obs.node->name)) return begin_clone(draft);
  const bool bootstrap_elsewhere =
      obs.view().initialize && obs.view().initialize->system_id.value().empty();
  if (!obs.view().locked() && has_leaderless_method(obs) && !bootstrap_elsewhere &&
      !recently_failed(draft)) {
    return begin_leaderless_clone(draft, std::nullopt);
  }
  auto remote = remote_after_a_while(draft);
  if (remote && !recently_failed(draft)) return begin_leaderless_clone(draft, std::move(remote));
  return wait_for_leader(obs);
}

}  // namespace

std::optional<Why> serve_empty_node(Draft& draft) {
  const auto& obs = draft.obs;
  switch (obs.local.server.data) {
    case DataDirectory::unknown: return because(Reason::observing);
    case DataDirectory::present: return std::nullopt;
    case DataDirectory::not_accessible:
      return release_without_data(draft, Reason::data_not_accessible);
    case DataDirectory::foreign: return because(Reason::data_foreign, obs.node->name.value());
    case DataDirectory::absent_or_empty: break;
  }
  draft.next.role = Role::uninitialized;
  if (server_alive(obs) || obs.holds_lock()) {
    return release_without_data(draft, Reason::empty_in_pause);
  }
  if (paused(obs)) return because(Reason::empty_in_pause);
  return fill_data_directory(draft);
}

void begin_reinitialize(Draft& draft, bool from_leader, RequestId request) {
  const auto& obs = draft.obs;
  auto job = make_job(JobKind::reinitialize, "reinitialize");
  job.goal.standby = true;
  job.only_basebackup = from_leader;
  job.source = from_leader ? leader_source(obs) : clone_source(obs, chance(obs));
  if (!job.source) job.source = remote_source(obs);
  job.request = request;
  begin(draft, std::move(job));
}

}  // namespace tanist
