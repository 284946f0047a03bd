// SPDX-License-Identifier: Apache-2.0
// Questions to `/sync`. Pure; any thread.
#include "core/synchronous_view.h"

#include <algorithm>
#include <cctype>

namespace tanist {

bool same_name(const MemberName& a, const MemberName& b) {
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  return std::ranges::equal(a.value(), b.value(), {}, lower, lower);
}

bool synchronous_active(const Observation& obs) {
  const auto& sync = obs.view().sync;
  return obs.cluster->synchronous_mode != SynchronousMode::off && sync && sync->active();
}

bool quorum_active(const Observation& obs) {
  if (!synchronous_active(obs)) return false;
  // A key with a quorum is read as one also while the mode is being changed to the other.
  return obs.cluster->synchronous_mode == SynchronousMode::quorum || obs.view().sync->quorum > 0;
}

bool led_last_by_sync(const Observation& obs) {
  return synchronous_active(obs) && same_name(obs.view().sync->leader, obs.node->name);
}

bool is_sync_standby(const SyncView& sync, const MemberName& name) {
  return std::ranges::any_of(sync.standbys,
                             [&](const MemberName& standby) { return same_name(standby, name); });
}

bool in_sync(const SyncView& sync, const MemberName& name) {
  return same_name(sync.leader, name) || is_sync_standby(sync, name);
}

}  // namespace tanist
