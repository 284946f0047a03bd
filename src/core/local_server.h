// SPDX-License-Identifier: Apache-2.0
// Questions about the local server that many rules ask, answered from the observation.
// Pure; any thread.
#pragma once

#include <optional>

#include "core/observation.h"

namespace tanist {

// The postmaster lives.
bool server_alive(const Observation& obs);

// Out of recovery by the monitoring query; when that failed: the postmaster lives and the cached
// role is primary (contract ha 2.2). For decisions on healthy servers.
bool is_primary(const Observation& obs);

// Might accept writes now or any moment: alive and not positively in recovery. For fencing.
bool may_be_writable(const Observation& obs);

// The position that counts in races; unknown when the server does not answer.
Lsn wal_position(const Observation& obs);

// The local timeline as far as it is known: current on a primary, by the local replication
// connection or the WAL receiver on a standby.
Timeline local_timeline(const Observation& obs);

// system identifier by pg_control; empty when it was not read.
SystemId local_system_id(const Observation& obs);

// Facts are from this cycle.
bool facts_are_fresh(const Observation& obs);

// F of safety 2.3: what the guard needs before the lease ends.
Duration guard_margin(seconds ttl);

// Until when the server may run at the latest: D, or before a running watchdog would reset the
// whole machine (safety 2.8). The guard is armed for it.
Instant server_until(const Observation& obs);

// When the agent itself begins an immediate stop at the latest (safety 2.3).
Instant fence_at(const Observation& obs);

// The cluster is paused, by the settings in force.
bool paused(const Observation& obs);

// A standby cluster, by the settings in force.
bool in_standby_cluster(const Observation& obs);

// This node holds the lock of a standby cluster: it follows the remote server and is the one that
// the others follow (contract ha 18.2).
bool leads_standby_cluster(const Observation& obs);

// What this node is to be as a standby: whom it follows, by which settings.
ServerGoal standby_goal(const Observation& obs);

// The goal that keeps the server what it is, following whom it follows: for restarts and reloads.
ServerGoal current_goal(const Observation& obs);

}  // namespace tanist
