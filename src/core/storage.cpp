// SPDX-License-Identifier: Apache-2.0
// Storage in trouble. Pure; any thread.
#include "core/storage.h"

#include "core/local_server.h"
#include "core/synchronous_view.h"

namespace tanist {

namespace {

bool has_working_storage(const MemberView& member) {
  return member.is_tanist() && member.data.find("storage_failed") == nullptr;
}

// By what the members publish; a member key lives only while its agent does.
bool can_take_over(const Observation& obs, const MemberView& member) {
  if (member.name == obs.node->name || member.role != Role::replica) return false;
  if (member.tags.nofailover() || member.replication_state != "streaming") return false;
  if (synchronous_active(obs) && !is_sync_standby(*obs.view().sync, member.name)) return false;
  return has_working_storage(member);
}

bool has_successor(const Observation& obs) {
  return std::ranges::any_of(obs.view().members,
                             [&](const auto& entry) { return can_take_over(obs, entry.second); });
}

}  // namespace

void report_storage(Draft& draft) {
  const auto& storage = draft.obs.local.storage;
  auto& reported = draft.next.storage_reported;
  if (storage.state == reported) return;
  const bool was_bad = reported != StorageState::unknown && reported != StorageState::good;
  reported = storage.state;
  if (!storage.good_enough()) {
    draft.log(
        LineLevel::critical,
        "The storage of this node is {} ({}). It is no candidate for leader until that is over",
        name_of(storage.state), storage.detail);
  } else if (was_bad && storage.state == StorageState::good) {
    draft.log(LineLevel::warning, "The storage of this node works again");
  }
}

bool gives_up_for_storage(const Observation& obs) {
  const auto& storage = obs.local.storage;
  const Duration patience = obs.node->storage_demote_after;
  if (patience <= Duration(0) || storage.state != StorageState::silent) return false;
  if (paused(obs) || !obs.store.view || !is_primary(obs)) return false;
  const bool long_silent = obs.now - storage.since >= patience;
  const bool stands_still =
      storage.sessions_waiting > 0 && obs.now - storage.flushed_since >= patience;
  return long_silent && stands_still && has_successor(obs);
}

}  // namespace tanist
