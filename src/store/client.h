// SPDX-License-Identifier: Apache-2.0
// The store for the control tool: single questions, each answered within a time limit. Blocks the
// caller; not for a thread that must not wait. Not thread-safe.
#pragma once

#include <memory>

#include "base/result.h"
#include "core/settings.h"
#include "core/store_actions.h"

namespace tanist::store {

// Errors of all calls: Errc::refused when the store said no (a key has changed, permission is
// missing), Errc::unavailable when nothing is known; a write may then still happen. The message
// names the endpoint that was asked last and the reason.
class Client {
 public:
  explicit Client(StoreSettings settings);
  ~Client();

  // Linearizable: fails without a quorum instead of showing an old cluster (trap 126).
  Result<ClusterViewPtr> read(Duration limit);
  // Compare-and-swap, put or delete of fixed keys, all or nothing. The store's revision after it.
  Result<Revision> commit(Commit commit, Duration limit);
  // Deletes every key of the cluster.
  Result<void> remove_cluster(Duration limit);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tanist::store
