// SPDX-License-Identifier: Apache-2.0
// Writes of `/sync`. Pure; any thread.
#include "core/synchronous_key.h"

namespace tanist {

namespace {

constexpr Duration try_again = seconds(1);

Revision revision_in_view(const Observation& obs) {
  return obs.view().sync ? obs.view().sync->revision : Revision(0);
}

void write(Draft& draft, std::optional<std::string> value) {
  const auto& obs = draft.obs;
  Commit commit;
  commit.expect = {{StoreKey::sync, revision_in_view(obs)}};
  commit.writes = {{StoreKey::sync, std::move(value), false}};
  commit.reign = obs.lock.reign;
  draft.next.sync.expected = revision_in_view(obs);
  draft.start(Task::write_sync, std::move(commit), Duration(obs.timing.retry_timeout));
}

std::string value_of(const MemberName& leader, const SyncKey& key) {
  const auto standbys = listed_text(key.voters, ",");
  return text_form(Tree::map({{"leader", leader.value()},
                              {"quorum", key.quorum},
                              {"sync_standby", standbys.empty() ? Tree() : Tree(standbys)}}));
}

// The same again, under a new revision.
void write_same(Draft& draft) {
  const auto& sync = draft.obs.view().sync;
  if (!sync || !sync->active()) return write(draft, value_of(draft.obs.node->name, {}));
  const SyncKey key{{sync->standbys.begin(), sync->standbys.end()}, sync->quorum};
  write(draft, value_of(sync->leader, key));
}

// The watch is late, or something else changed the key.
void read_anew(Draft& draft, Instant since) {
  const auto end = draft.obs.ends.find(Task::read_cluster);
  const bool read_since = end != draft.obs.ends.end() && end->second.at > since;
  if (read_since || draft.busy(Task::read_cluster)) return;
  draft.start(Task::read_cluster, ReadCluster{}, Duration(draft.obs.timing.retry_timeout));
}

}  // namespace

std::string listed_text(const NameSet& names, std::string_view separator) {
  std::string out;
  for (const auto& name : names) {
    if (!out.empty()) out += separator;
    out += name.value();
  }
  return out;
}

void write_sync_key(Draft& draft, const MemberName& leader, const SyncKey& key) {
  write(draft, value_of(leader, key));
}

void delete_sync_key(Draft& draft) {
  draft.log(LineLevel::info, "Disabled synchronous replication");
  write(draft, std::nullopt);
}

bool sync_key_is_settled(Draft& draft) {
  const auto& obs = draft.obs;
  const auto end = obs.ends.find(Task::write_sync);
  // What an earlier reign wrote is settled by the lock: its transaction compared `/sync`. And an
  // etcd that lost its data since then would take long to reach that revision.
  if (end == obs.ends.end() || end->second.at < obs.lock.taken_at) return true;
  const auto& last = end->second;
  if (last.verdict == StoreVerdict::done) {
    if (obs.view().revision >= last.revision) return true;
    read_anew(draft, last.at);
    return false;
  }
  if (revision_in_view(obs) != draft.next.sync.expected) return true;
  const auto again = last.at + try_again;
  if (last.verdict == StoreVerdict::refused) {
    read_anew(draft, last.at);
    if (obs.now >= again) return true;
    draft.log(LineLevel::warning, "Synchronous replication key updated by someone else");
  } else if (obs.now >= again) {
    write_same(draft);
    return false;
  }
  draft.wake(again);
  return false;
}

}  // namespace tanist
