// SPDX-License-Identifier: Apache-2.0
// The distributed store, as the loop sees it: actions in terms of what is meant, each answered
// once, and a view of the cluster that is kept current. etcd speaks it (etcd3.h); others may.
// Owned and called by the loop's thread.
#pragma once

#include <functional>
#include <string>

#include "base/secret.h"
#include "core/store_actions.h"

namespace tanist::store {

// All called on the loop's thread, never from inside a call to the store.
struct StoreEvents {
  std::function<void(ClusterViewPtr)> view;
  std::function<void(const StoreHealth&)> health;
  // Exactly once for each start(), also after cancel() and shut_down() (then `unknown`).
  std::function<void(EffectId, StoreResult)> finished;
  // KeepLock only, at most once: the first attempt's time has passed, the effect goes on (safety
  // 3.4).
  std::function<void(EffectId)> unanswered;
};

class Store {
 public:
  virtual ~Store() = default;

  // The result comes by `until` at the latest. Each id is used once.
  virtual void start(EffectId id, StoreAction action, Instant until) = 0;
  // Ends the effect as `unknown`; what was sent may still happen. Nothing for an unknown id.
  virtual void cancel(EffectId id) = 0;
  // Used from the next request on (contract dcs 8: re-read on reload).
  virtual void set_credentials(std::string user, Secret password) = 0;
  // Ends every effect as `unknown` and closes all connections; no start() may follow.
  virtual void shut_down() = 0;
};

}  // namespace tanist::store
