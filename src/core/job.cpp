// SPDX-License-Identifier: Apache-2.0
// The table of steps. Pure; any thread.
#include "core/job.h"

#include "base/assert.h"

namespace tanist {

namespace {

using S = Step;

constexpr std::array bootstrap_steps{S::initialize_data,  S::start_server,     S::await_primary,
                                     S::finish_bootstrap, S::write_initialize, S::write_config,
                                     S::take_first_lock};
constexpr std::array bootstrap_standby_steps{S::clone_data, S::start_server, S::write_initialize,
                                             S::write_config, S::take_first_lock};
constexpr std::array clone_steps{S::clone_data, S::start_server};
constexpr std::array start_steps{S::start_server};
constexpr std::array promote_steps{S::pre_promote, S::promote, S::await_primary};
constexpr std::array restart_steps{S::leave_sync_duty, S::stop_server, S::start_server};
constexpr std::array change_upstream_steps{S::stop_server, S::start_server};
constexpr std::array demote_handing_over_steps{S::checkpoint, S::choose_candidate, S::pause_poolers,
                                               S::hand_over,  S::await_new_leader, S::start_server};
constexpr std::array demote_offline_steps{S::stop_server, S::start_server};
constexpr std::array demote_cluster_steps{S::stop_server, S::archive_end, S::start_server};
constexpr std::array recover_steps{S::recover_data};
constexpr std::array rewind_steps{S::stop_server, S::rewind_data};
constexpr std::array reinitialize_steps{S::stop_immediately, S::clone_data, S::start_server};
constexpr std::array stop_for_good_steps{S::leave_sync_duty, S::hand_over};
constexpr std::array stop_empty_steps{S::stop_immediately};
// The next one may bootstrap only when this server is down.
constexpr std::array abandon_bootstrap_steps{S::stop_immediately, S::release_initialize,
                                             S::set_data_aside};

constexpr std::array copy_slots_steps{S::fetch_slots, S::stop_server, S::install_slots,
                                      S::start_server};

}  // namespace

std::span<const Step> steps_of(JobKind kind) {
  switch (kind) {
    case JobKind::bootstrap: return bootstrap_steps;
    case JobKind::bootstrap_standby: return bootstrap_standby_steps;
    case JobKind::clone: return clone_steps;
    case JobKind::start_standby:
    case JobKind::start_primary: return start_steps;
    case JobKind::promote: return promote_steps;
    case JobKind::restart: return restart_steps;
    case JobKind::change_upstream: return change_upstream_steps;
    case JobKind::demote_handing_over: return demote_handing_over_steps;
    case JobKind::demote_offline: return demote_offline_steps;
    case JobKind::demote_cluster: return demote_cluster_steps;
    case JobKind::recover: return recover_steps;
    case JobKind::rewind: return rewind_steps;
    case JobKind::reinitialize: return reinitialize_steps;
    case JobKind::stop_for_good: return stop_for_good_steps;
    case JobKind::stop_empty: return stop_empty_steps;
    case JobKind::abandon_bootstrap: return abandon_bootstrap_steps;
    case JobKind::copy_slots: return copy_slots_steps;
  }
  return {};
}

Step current_step(const Job& job) {
  TANIST_REQUIRE(!at_end(job));
  return steps_of(job.kind)[job.step];
}

bool at_end(const Job& job) { return job.step >= steps_of(job.kind).size(); }

}  // namespace tanist
