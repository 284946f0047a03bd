// SPDX-License-Identifier: Apache-2.0
// What the loop publishes for the REST thread: one immutable value per change, from which every
// health check, probe and document is answered without asking the loop (contract rest 5-10).
// Values only; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/server_facts.h"
#include "core/tags.h"
#include "core/types.h"

namespace tanist {

struct Status {
  // ---- documents ----
  Tree document;              // GET /patroni and the body of health checks
  Tree config;                // GET /config; null = missing or invalid
  Tree history;               // GET /history; a list
  Tree failsafe;              // GET /failsafe; null = no such key
  std::string members_hosts;  // comma list of hosts of all members' api_url (allowlist)

  // ---- inputs of health checks (contract rest 5) ----
  ServerState state = ServerState::unknown;  // of the document: unknown when it does not answer
  ServerState internal_state = ServerState::unknown;
  Role role = Role::uninitialized;  // of the document
  bool in_recovery = true;          // as last observed; false only on positive evidence
  std::string replication_state;
  Lsn location;  // primary: flush position
  Lsn received;
  Lsn replayed;
  Lsn latest_end;           // heard by the local WAL receiver
  Lsn optime;               // of the view's status
  Tags tags;                // configured
  bool view_valid = false;  // the last read of the store succeeded and is younger than ttl
  bool holds_lock = false;  // in the last step; REST further compares the guard's deadline
  bool demoting = false;    // from the decision to demote on
  bool sync_standby = false;
  bool quorum_standby = false;
  bool standby_cluster = false;
  bool paused = false;
  bool failsafe_active = false;
  bool failsafe_enabled = false;
  bool failsafe_member = false;
  std::int64_t lag_bytes_max_on_failover = 1048576;
  // Until when a replica counts as receiving WAL (core/receiving.h); later it is not healthy.
  Instant receiving_until;

  // ---- liveness (contract rest 6) ----
  Instant next_run;  // when the current cycle was due, or the next is
  seconds ttl{30};
  // Past this instant the loop counts as dead: every check answers 503.
  Instant good_until;

  // ---- metrics only ----
  std::int64_t server_version = 0;
  double postmaster_start_time = 0;  // epoch seconds
  double replayed_timestamp = 0;     // epoch seconds, 0 = null
  bool wal_paused = false;
  Timeline timeline;
  std::int64_t store_last_seen = 0;  // epoch seconds
  bool pending_restart = false;
  StorageFacts storage;
  bool cluster_unlocked = true;
};

using StatusPtr = std::shared_ptr<const Status>;

}  // namespace tanist
