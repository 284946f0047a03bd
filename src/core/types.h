// SPDX-License-Identifier: Apache-2.0
// The words of the model: names, positions and states that never pass as bare integers or
// strings. Values only; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "base/process_identity.h"
#include "base/result.h"
#include "base/strong.h"

namespace tanist {

using MemberName = Strong<struct MemberNameTag, std::string>;
// Position in the WAL in bytes; 0 = unknown.
using Lsn = Strong<struct LsnTag, std::uint64_t>;
// 0 = unknown.
using Timeline = Strong<struct TimelineTag, std::uint32_t>;
// PostgreSQL's system identifier as its decimal text.
using SystemId = Strong<struct SystemIdTag, std::string>;
// Revision of the store (etcd: mod_revision, create_revision); 0 = the key is absent.
using Revision = Strong<struct RevisionTag, std::int64_t>;
// 0 = no lease.
using LeaseId = Strong<struct LeaseIdTag, std::int64_t>;
// Numbers one effect of the loop; never used twice in a process.
using EffectId = Strong<struct EffectIdTag, std::uint64_t>;
// Numbers a request of an operator that waits for its reply.
using RequestId = Strong<struct RequestIdTag, std::uint64_t>;

// "X/X" hexadecimal, upper case, not padded.
std::string to_text(Lsn lsn);
// Reads "X/X". Errc::invalid otherwise.
Result<Lsn> parse_lsn(std::string_view text);

// At least ten characters, all of them digits (contract dcs 4.1).
bool is_valid(const SystemId& id);

// The replication slot of a member (contract dcs 4.8): lower case, '-' and '.' become '_', other
// characters 'u' and their code point in decimal (4 digits at least), cut to 63 bytes.
std::string slot_name_of(const MemberName& member);

// Reserved: it stands in synchronous_standby_names when strict mode has nobody to name.
inline constexpr std::string_view strict_sync_placeholder =
    "__patroni_strict_sync_replica_placeholder__";

// One time of holding the lock (safety 1.2). Every leader-only write compares it.
struct Reign {
  LeaseId lease;
  Revision create_revision;

  static constexpr auto fields() {
    return std::tuple{field("lease", &Reign::lease),
                      field("create_revision", &Reign::create_revision)};
  }
  friend bool operator==(const Reign&, const Reign&) = default;
};
static_assert(lists_all_fields<Reign>);

// Published as `state`; the order is the metric's index and must never change (contract ha 2.1).
enum class ServerState {
  initializing_new_cluster,
  initdb_failed,
  running_custom_bootstrap,
  custom_bootstrap_failed,
  creating_replica,
  running,
  starting,
  starting_after_custom_bootstrap,
  start_failed,
  restarting,
  restart_failed,
  stopping,
  stopped,
  stop_failed,
  crashed,
  unknown,  // a reader's default; never published
};

constexpr auto names_of(ServerState) {
  using S = ServerState;
  return std::array{
      EnumName<S>{S::initializing_new_cluster, "initializing new cluster"},
      EnumName<S>{S::initdb_failed, "initdb failed"},
      EnumName<S>{S::running_custom_bootstrap, "running custom bootstrap script"},
      EnumName<S>{S::custom_bootstrap_failed, "custom bootstrap failed"},
      EnumName<S>{S::creating_replica, "creating replica"},
      EnumName<S>{S::running, "running"},
      EnumName<S>{S::starting, "starting"},
      EnumName<S>{S::starting_after_custom_bootstrap, "starting after custom bootstrap"},
      EnumName<S>{S::start_failed, "start failed"},
      EnumName<S>{S::restarting, "restarting"},
      EnumName<S>{S::restart_failed, "restart failed"},
      EnumName<S>{S::stopping, "stopping"},
      EnumName<S>{S::stopped, "stopped"},
      EnumName<S>{S::stop_failed, "stop failed"},
      EnumName<S>{S::crashed, "crashed"},
      EnumName<S>{S::unknown, "unknown"},
  };
}

// Published as `role` (contract ha 2.2). `master` is read as primary and never written.
enum class Role { uninitialized, primary, promoted, demoted, replica, standby_leader };

constexpr auto names_of(Role) {
  return std::array{
      EnumName<Role>{Role::uninitialized, "uninitialized"},
      EnumName<Role>{Role::primary, "primary"},
      EnumName<Role>{Role::promoted, "promoted"},
      EnumName<Role>{Role::demoted, "demoted"},
      EnumName<Role>{Role::replica, "replica"},
      EnumName<Role>{Role::standby_leader, "standby_leader"},
  };
}

}  // namespace tanist
