// SPDX-License-Identifier: Apache-2.0
// The settings shared by all members, read from the store's `config` key (contract config 6): only
// what decisions need; the `postgresql` part is read by config/. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/types.h"

namespace tanist {

struct Timing {
  seconds ttl{30};
  seconds loop_wait{10};
  seconds retry_timeout{10};

  static constexpr auto fields() {
    return std::tuple{field("ttl", &Timing::ttl), field("loop_wait", &Timing::loop_wait),
                      field("retry_timeout", &Timing::retry_timeout)};
  }
  friend bool operator==(const Timing&, const Timing&) = default;
};
static_assert(lists_all_fields<Timing>);

// Patroni's smallest values; used as long as a member that is no tanist is near (safety 6).
inline constexpr Timing patroni_timing_min{seconds{20}, seconds{1}, seconds{3}};
// Ours: the agent further refuses a ttl that etcd's election timeout makes unsafe (safety 1.6).
inline constexpr Timing tanist_timing_min{seconds{3}, seconds{1}, seconds{1}};

enum class SynchronousMode { off, priority, quorum };

constexpr auto names_of(SynchronousMode) {
  using M = SynchronousMode;
  return std::array{EnumName<M>{M::off, "off"}, EnumName<M>{M::priority, "on"},
                    EnumName<M>{M::quorum, "quorum"}};
}

struct StandbyCluster {
  std::string host;
  std::string port;
  std::string restore_command;
  std::string archive_cleanup_command;
  std::string recovery_min_apply_delay;
  std::optional<std::string> primary_slot_name;
  std::vector<std::string> create_replica_methods;

  static constexpr auto fields() {
    return std::tuple{field("host", &StandbyCluster::host),
                      field("port", &StandbyCluster::port),
                      field("restore_command", &StandbyCluster::restore_command),
                      field("archive_cleanup_command", &StandbyCluster::archive_cleanup_command),
                      field("recovery_min_apply_delay", &StandbyCluster::recovery_min_apply_delay),
                      field("primary_slot_name", &StandbyCluster::primary_slot_name),
                      field("create_replica_methods", &StandbyCluster::create_replica_methods)};
  }
  friend bool operator==(const StandbyCluster&, const StandbyCluster&) = default;
};
static_assert(lists_all_fields<StandbyCluster>);

struct ClusterSettings {
  Timing timing;  // as written; see effective_timing()
  std::int64_t lag_bytes_max_on_failover = 1048576;
  std::int64_t lag_bytes_max_on_syncnode = -1;
  bool check_timeline = false;
  std::int64_t timelines_history_max = 0;
  seconds primary_start_timeout{300};
  seconds primary_stop_timeout{0};
  seconds primary_race_backoff{0};
  SynchronousMode synchronous_mode = SynchronousMode::off;
  bool synchronous_mode_strict = false;
  std::int64_t synchronous_node_count = 1;
  bool failsafe_mode = false;
  bool pause = false;
  seconds member_slots_ttl{1800};
  Tree slots;         // permanent slots: name -> properties
  Tree ignore_slots;  // list of matchers
  std::optional<StandbyCluster> standby_cluster;

  static constexpr auto fields() {
    using C = ClusterSettings;
    return std::tuple{field("timing", &C::timing),
                      field("maximum_lag_on_failover", &C::lag_bytes_max_on_failover),
                      field("maximum_lag_on_syncnode", &C::lag_bytes_max_on_syncnode),
                      field("check_timeline", &C::check_timeline),
                      field("max_timelines_history", &C::timelines_history_max),
                      field("primary_start_timeout", &C::primary_start_timeout),
                      field("primary_stop_timeout", &C::primary_stop_timeout),
                      field("primary_race_backoff", &C::primary_race_backoff),
                      field("synchronous_mode", &C::synchronous_mode),
                      field("synchronous_mode_strict", &C::synchronous_mode_strict),
                      field("synchronous_node_count", &C::synchronous_node_count),
                      field("failsafe_mode", &C::failsafe_mode),
                      field("pause", &C::pause),
                      field("member_slots_ttl", &C::member_slots_ttl),
                      field("slots", &C::slots),
                      field("ignore_slots", &C::ignore_slots),
                      field("standby_cluster", &C::standby_cluster)};
  }
  friend bool operator==(const ClusterSettings&, const ClusterSettings&) = default;
};
static_assert(lists_all_fields<ClusterSettings>);

// Errc::invalid when ttl, loop_wait or retry_timeout is no integer: the caller then keeps the
// settings it has (contract config 6.2). Any other unusable value means its default.
Result<ClusterSettings> cluster_settings_from(const Tree& config);

// The values a member works with: raised to `minimum`, then fitted to
// loop_wait + 2 retry_timeout <= ttl (contract config 6.2). Each change adds one warning text.
Timing effective_timing(Timing written, const Timing& minimum, std::vector<std::string>* warnings);

// An integer with an optional unit, as PostgreSQL reads it (contract config 3): rounded half to
// even, converted to `base_unit` ("s", "ms", "B", "kB", ... or "" for none). Nothing when
// unusable.
std::optional<std::int64_t> int_with_unit(const Tree& value, std::string_view base_unit);

}  // namespace tanist
