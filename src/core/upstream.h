// SPDX-License-Identifier: Apache-2.0
// Whom a standby streams from, and whom an empty node copies (contract ha 5.2 and 19).
// Pure; any thread.
#pragma once

#include <optional>

#include "core/observation.h"

namespace tanist {

// Host, port and database of a member's conn_url (postgres://host:port/database); nothing when it
// is unusable.
std::optional<Upstream> upstream_of(const MemberView& member);

// The upstream of this node as a standby: itself, nobody or nothing known is "none".
std::optional<Upstream> choose_upstream(const Observation& obs);

// The leader, to follow or to copy from; none when it is this node, has no member key or no usable
// URL. In pause the last leader that was seen, so that a lock that lapses moves nobody (trap 97).
std::optional<Upstream> leader_source(const Observation& obs);

// The remote server of a standby cluster; none when it is fed from an archive alone.
std::optional<Upstream> remote_source(const Observation& obs);

// Whose history counts: the leader's, in a standby cluster the remote server's (contract ha 18.5).
// Source of rewinds and divergence checks.
std::optional<Upstream> rewind_source(const Observation& obs);

// What log lines call it: the member, or the address of a remote server.
std::string name_of_source(const Upstream& source);

// The member to copy a data directory from: a running one tagged clonefrom, else the leader. Which
// of several: by `chance` (any number).
std::optional<Upstream> clone_source(const Observation& obs, std::uint64_t chance);

}  // namespace tanist
