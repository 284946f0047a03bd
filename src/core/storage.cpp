// SPDX-License-Identifier: Apache-2.0
// Storage in trouble. Pure; any thread.
#include "core/storage.h"

#include <utility>

#include "core/local_server.h"
#include "core/synchronous_view.h"

namespace tanist {

namespace {

bool has_working_storage(const MemberView& member) {
  return member.is_tanist() && member.data->find("storage_failed") == nullptr;
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
  const auto before = std::exchange(reported, storage.state);
  const bool was_bad = before != StorageState::unknown && before != StorageState::good;
  if (storage.state == StorageState::unreachable) {
    draft.log(
        LineLevel::critical,
        "PostgreSQL of this node takes no new connections ({}). It is no candidate for leader "
        "until that is over",
        storage.detail);
  } else if (!storage.good_enough()) {
    draft.log(
        LineLevel::critical,
        "The storage of this node is {} ({}). It is no candidate for leader until that is over",
        name_of(storage.state), storage.detail);
  } else if (was_bad && storage.state == StorageState::good) {
    draft.log(LineLevel::warning, "{} of this node works again",
              before == StorageState::unreachable ? "PostgreSQL" : "The storage");
  }
}

bool gives_up_for_storage(const Observation& obs) {
  const auto& storage = obs.local.storage;
  const bool silent = storage.state == StorageState::silent;
  if (!silent && storage.state != StorageState::unreachable) return false;
  const Duration patience =
      silent ? obs.node->storage_demote_after : obs.node->unreachable_demote_after;
  if (patience <= Duration(0) || obs.now - storage.since < patience) return false;
  if (paused(obs) || !obs.store.view || !is_primary(obs)) return false;
  const bool stands_still =
      storage.sessions_waiting > 0 && obs.now - storage.flushed_since >= patience;
  return (stands_still || !silent) && has_successor(obs);
}

bool leaves_lock_to_end(const Observation& obs) {
  return obs.lock.given_up != Revision(0) && obs.store.view && obs.view().leader &&
         obs.view().leader->create_revision == obs.lock.given_up;
}

}  // namespace tanist
