// SPDX-License-Identifier: Apache-2.0
// The local PostgreSQL server: performs the actions of core/server_actions.h on it. Owned by the
// agent's driver; everything happens on the loop's thread, which it never blocks. It decides
// nothing: it does what an action says and reports what came of it.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/server_actions.h"
#include "core/settings.h"
#include "os/disk.h"
#include "postgres/hooks.h"

namespace tanist::postgres {

class Server {
 public:
  Server(os::Executor loop, os::DiskPool& disk, ServerSettingsPtr settings, ServerHooks hooks);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Ends nothing: a running server lives on. Callbacks of actions under way are not called any
  // more.
  ~Server();

  // Takes effect with the next action.
  void set_settings(ServerSettingsPtr settings);

  using Done = std::function<void(ServerResult)>;
  // Starts an action. `done` is called exactly once, never before this returns; an action that may
  // not run beside those under way (safety 4) fails at once. FenceServer is always admitted,
  // signals the server before this returns and cancels the server lane.
  void start(EffectId id, ServerAction action, Done done);

  // Gives an action up: what it runs gets SIGTERM, after 10 s SIGKILL, then `done` comes with an
  // error. The server itself is left as it is. Unknown ids are ignored.
  void cancel(EffectId id);

  // At the agent's start: adopts a server that runs already (contract postgres 3.1). The hook
  // postmaster_started tells of it; `done` says whether there is one.
  void look_for_postmaster(std::function<void(std::optional<ProcessIdentity>)> done);

  // Begins to watch the storage, until shut_down() (postgres/storage_watch.h).
  void watch_storage();

  // Cancels all actions. The server goes on running.
  void shut_down();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tanist::postgres
