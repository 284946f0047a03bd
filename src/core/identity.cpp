// SPDX-License-Identifier: Apache-2.0
// Identity of node and data. Pure; any thread.
#include "core/identity.h"

#include "core/local_server.h"
#include "core/published_values.h"
#include "core/start_job.h"
#include "core/write_again.h"

namespace tanist {

namespace {

constexpr Duration namesake_limit = seconds(3);

Why leave(Draft& draft, Reason reason, std::string subject, std::string detail) {
  draft.next.exit_code = 1;
  draft.order(Leave{1});
  return because(reason, std::move(subject), std::move(detail));
}

}  // namespace

std::optional<Why> check_namesake(Draft& draft) {
  const auto& obs = draft.obs;
  if (draft.next.namesake_checked) return std::nullopt;
  const auto* namesake = obs.view().member(obs.node->name);
  const auto end = obs.ends.find(Task::probe_namesake);
  if (namesake == nullptr || namesake->api_url.empty()) {
    draft.next.namesake_checked = true;
    draft.start(Task::start_api, StartApi{}, no_limit);
    return std::nullopt;
  }
  if (end == obs.ends.end()) {
    draft.start(Task::probe_namesake, ProbeNamesake{namesake->api_url}, namesake_limit);
    return because(Reason::starting_up);
  }
  if (end->second.ok) {  // somebody answered
    return leave(draft, Reason::name_clash, obs.node->name.value(), namesake->api_url);
  }
  draft.next.namesake_checked = true;
  draft.start(Task::start_api, StartApi{}, no_limit);
  return std::nullopt;
}

namespace {

Commit write_initialize(const Observation& obs) {
  const auto& initialize = obs.view().initialize;
  Commit commit;
  commit.expect = {{StoreKey::initialize, initialize ? initialize->revision : Revision(0)}};
  commit.writes = {{StoreKey::initialize, local_system_id(obs).value(), false}};
  commit.reign = obs.lock.reign;
  return commit;
}

void restore_config(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& stored = obs.view().config;
  const bool usable = stored && stored->valid && stored->value->truthy();
  if (usable || !obs.holds_lock()) return;
  const bool known = obs.config && obs.config->is_map();
  // A server that is taken over without a `bootstrap` section was never configured. The empty
  // document says so: without any, nobody keeps slots for its replicas (contract postgres 10.2).
  const Tree document = known ? *obs.config : Tree::map();
  if (stored && (!known || (stored->valid && stored->value == document))) return;
  if (rests_after_failure(draft, Task::write_config)) return;
  Commit commit;
  commit.expect = {{StoreKey::config, stored ? stored->revision : Revision(0)}};
  commit.writes = {{StoreKey::config, text_form(document), false}};
  commit.reign = obs.lock.reign;
  draft.start(Task::write_config, std::move(commit), Duration(obs.timing.retry_timeout));
}

// The lock goes, the server stays: in pause a foreign directory is somebody's maintenance.
std::optional<Why> mismatch_in_pause(Draft& draft) {
  const auto& obs = draft.obs;
  draft.log(
      LineLevel::warning,
      "the system identifier changed in pause: {} in /initialize, {} here; the agent will end "
      "when the pause does",
      obs.view().initialize->system_id.value(), local_system_id(obs).value());
  if (!obs.lock.reign) return std::nullopt;
  draft.start(Task::release_lock,
              ReleaseLock{.reign = *obs.lock.reign,
                          .status = std::nullopt,
                          .member = text_form(member_value(obs, draft.next))},
              Duration(obs.timing.retry_timeout));
  return because(Reason::system_id_mismatch_in_pause, obs.node->name.value());
}

bool is_lasting(const std::optional<InitializeView>& initialize) {
  return initialize && is_valid(initialize->system_id) && initialize->lease == LeaseId(0);
}

bool meets_cluster_without_identity(const Observation& obs) {
  if (obs.view().locked() || paused(obs) || obs.memory->callbacks_fired || obs.holds_lock()) {
    return false;
  }
  return !obs.view().initialize || !is_valid(obs.view().initialize->system_id);
}

// Row 15: existing data meets a cluster without identity (trap 104). A running server races next,
// and the lock brings the identity along.
std::optional<Why> adopt_data(Draft& draft) {
  const auto& obs = draft.obs;
  if (!meets_cluster_without_identity(obs)) return {};
  // An empty value belongs to a bootstrap under way; its lease ends it (trap 105).
  if (obs.view().initialize && obs.view().initialize->lease != LeaseId(0)) {
    return because(Reason::waiting_for_leader);
  }
  if (server_alive(obs) && !is_primary(obs)) {
    return leave(draft, Reason::no_initialize_key_on_replica, obs.node->name.value(), {});
  }
  if (server_alive(obs)) return {};
  draft.start(Task::write_initialize, write_initialize(obs), Duration(obs.timing.retry_timeout));
  return {};
}

// Every observation of a server without known control data asks for it; one that brought none will
// bring none in the next moment either.
Why find_out_identity(Draft& draft) {
  const auto again = draft.obs.local.server.observed_at + Duration(draft.obs.timing.loop_wait);
  if (draft.obs.now >= again) {
    draft.start(Task::observe, ObserveServer{.control_data = true}, no_limit);
  } else {
    draft.wake(again);
  }
  return because(Reason::observing);
}

}  // namespace

void make_identity_last(const Observation& obs, TakeLock& take) {
  const auto& initialize = obs.view().initialize;
  if (is_lasting(initialize)) return;
  take.expect.push_back({StoreKey::initialize, initialize ? initialize->revision : Revision(0)});
  take.identity = local_system_id(obs);
}

void identify_adopted_data(Draft& draft) {
  const auto& obs = draft.obs;
  if (!meets_cluster_without_identity(obs) || draft.busy(Task::take_lock)) return;
  draft.start(Task::write_initialize, write_initialize(obs), Duration(obs.timing.retry_timeout));
}

std::optional<Why> check_identity(Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.local.server.control) return find_out_identity(draft);
  const auto& mine = obs.local.server.control->system_id;
  if (!is_valid(mine)) return because(Reason::system_id_invalid, obs.node->name.value());
  const auto& initialize = obs.view().initialize;
  const bool differs = initialize && initialize->system_id != mine;
  if (differs && is_valid(initialize->system_id)) {
    if (paused(obs)) return mismatch_in_pause(draft);
    return leave(draft, Reason::system_id_mismatch, obs.node->name.value(),
                 initialize->system_id.value() + " != " + mine.value());
  }
  if (!is_lasting(initialize) && obs.holds_lock() &&
      !rests_after_failure(draft, Task::write_initialize)) {
    draft.start(Task::write_initialize, write_initialize(obs), Duration(obs.timing.retry_timeout));
  }
  restore_config(draft);
  return adopt_data(draft);
}

}  // namespace tanist
