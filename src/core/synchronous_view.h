// SPDX-License-Identifier: Apache-2.0
// What `/sync` says to races and requests. Names are compared without regard to case
// (contract dcs 4.6). Pure; any thread.
#pragma once

#include "core/observation.h"

namespace tanist {

bool same_name(const MemberName& a, const MemberName& b);

// The mode is requested and /sync has a leader ("synchronous mode active", contract ha 7.3).
bool synchronous_active(const Observation& obs);
bool quorum_active(const Observation& obs);

// This node is its leader: the last that was promoted, for a leader writes it before, and after the
// one before it has ended.
bool led_last_by_sync(const Observation& obs);

// `name` is /sync's leader or one of its standbys.
bool in_sync(const SyncView& sync, const MemberName& name);
// `name` is one of its standbys (quorum mode: voters).
bool is_sync_standby(const SyncView& sync, const MemberName& name);

}  // namespace tanist
