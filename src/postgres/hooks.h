// SPDX-License-Identifier: Apache-2.0
// What the driver of the local server is given by its owner, and tells it. All are called on the
// loop's thread and return at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/server_actions.h"

namespace tanist::postgres {

// How the server is launched: arguments put before its absolute path (the guard's launcher), and
// descriptors that the launcher inherits under the same numbers.
struct LaunchPrefix {
  std::vector<std::string> arguments;
  std::vector<int> descriptors;
};

struct ServerHooks {
  // At once after spawn or adoption, before anything else.
  std::function<void(ProcessIdentity)> postmaster_started;
  // `status` as of waitpid; -1 = unknown, as for adopted ones.
  std::function<void(ProcessIdentity, int status)> postmaster_exited;
  std::function<void(EffectId, const StopProgress&)> progress;
  // Empty function: launched plainly.
  std::function<LaunchPrefix()> launch_prefix;
  // Asked at the moment of acting, before promote and before a start without standby.signal
  // (safety 4): empty = allowed, else the reason why not.
  std::function<std::string()> primary_allowed;
  // Kills every leftover process of the data directory (the guard's sweep): a program and its
  // arguments, exit code 0 when none is left. Empty: the agent's own sweep.
  std::vector<std::string> sweep_command;
  // The storage canary and its arguments; empty: the storage is not watched. A write that has not
  // ended for `storage_silent_after` counts as hung.
  std::vector<std::string> canary_command;
  Duration storage_silent_after = seconds{10};
  std::function<void(const StorageFacts&)> storage_observed;
  // How far a copy has come ("45%"); empty = it has ended.
  std::function<void(std::string)> copy_progress;
};

}  // namespace tanist::postgres
