// SPDX-License-Identifier: Apache-2.0
// What all actions on the local server share: its process, its settings, the ways to reach it, and
// what was learned of it. Loop thread only. Internal to postgres/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/settings.h"
#include "os/disk.h"
#include "os/process.h"
#include "postgres/callbacks.h"
#include "postgres/hooks.h"
#include "postgres/local_address.h"
#include "postgres/paths.h"
#include "postgres/postmaster_file.h"
#include "sql/address_book.h"
#include "sql/connection.h"

namespace tanist::postgres {

// Time for ordinary file work; what takes longer is a fault of the disk.
inline constexpr Duration disk_time_max = seconds{30};
// Time for programs that only look at files.
inline constexpr Duration tool_time_max = seconds{30};

// pg_control as it was last read, and the bytes it was read from.
struct ControlCache {
  std::string bytes;
  ControlData data;
};

// A logical slot as the leader keeps it on its disk.
struct SlotState {
  std::string name;
  std::string state;  // the bytes of pg_replslot/NAME/state
};

struct LocalServer : std::enable_shared_from_this<LocalServer> {
  LocalServer(os::Executor loop_executor, os::DiskPool& disk_pool, ServerSettingsPtr first_settings,
              ServerHooks given_hooks);

  // The running postmaster, ours or adopted. Tells the hook and watches it to its end.
  void remember(os::ProcessPtr process, bool single_user);
  bool runs() const { return postmaster && postmaster->alive(); }
  void tell(EffectId id, const StopProgress& progress) const;

  const os::Executor loop;
  os::DiskPool* const disk;
  ServerHooks hooks;
  ServerSettingsPtr settings;
  sql::AddressBook addresses;
  Callbacks callbacks;

  os::ProcessPtr postmaster;
  bool is_single_user = false;
  // Where the running server listens: of the settings it was started with.
  std::optional<LocalAddress> address;
  // Counts postmasters; a session of an earlier one is never used again (trap 46).
  std::uint64_t generation = 0;
  sql::ConnectionPtr idle_session;

  std::optional<ControlCache> control;
  std::vector<PendingRestart> pending_restart;
  std::string configuration_loaded_at;   // when a session last saw a reload
  bool backups_due = false;              // configuration backups, once connections are accepted
  std::vector<SlotState> fetched_slots;  // of FetchSlots, for InstallSlots
  // From the custom bootstrap until its end: no reloads, temporary pg_hba.conf.
  bool in_custom_bootstrap = false;

 private:
  static os::Awaitable<void> watch(std::shared_ptr<LocalServer> self, os::ProcessPtr process);
};
using LocalServerPtr = std::shared_ptr<LocalServer>;

// One action under way: what it works on, and how it is stopped. Copied into every step.
struct Job {
  LocalServerPtr server;
  EffectId id;
  os::StopPtr stop;
  ServerSettingsPtr settings;  // as they were when it began
  Paths paths;

  os::Limit limit() const { return {Instant::max(), stop}; }
  os::Limit within(Duration duration) const { return limit().within(duration); }
  bool stopped() const { return stop->requested(); }

  // File work on the disk pool. `function` owns what it touches.
  template <class F>
  auto on_disk(F function, Duration time = disk_time_max) const {
    return os::on_disk(*server->disk, within(time), std::move(function));
  }
};

ServerResult succeeded();
ServerResult failed(std::string error);
inline ServerResult failed(const Error& error) { return failed(error.message); }

}  // namespace tanist::postgres
