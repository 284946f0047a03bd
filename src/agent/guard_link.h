// SPDX-License-Identifier: Apache-2.0
// The agent's side of the guard (safety 2): finds the living guard or starts one, tells it by the
// shared page what is allowed until when, replaces it when it dies, and answers the question
// whether the server may be a primary right now.
//
// Owner: the agent. Thread: the loop's, except where "any thread" stands. Nothing here waits for a
// disk or an answer but open(), which belongs to the agent's start: it looks up folders, starts a
// process and gives the guard two seconds to answer. A replacement is started on a thread of its
// own, because exec may wait for a disk.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/guard_page.h"
#include "base/fields.h"
#include "base/result.h"
#include "base/time.h"
#include "core/observation.h"
#include "core/types.h"

namespace tanist::agent {

struct GuardOptions {
  bool with_process = true;    // false: setting `guard` is off; the page alone, in memory
  std::string program;         // absolute path of tanist-guard
  std::string data_directory;  // absolute; need not exist yet
  std::string server_program;  // path of the server's executable; empty = postgres
  std::string folder;          // for the guard's socket; empty = $RUNTIME_DIRECTORY and so on
};

// What an earlier agent left in the page (safety 2.7). The reign counts in mode primary only.
struct GuardRecord {
  ServerMode mode = ServerMode::none;
  std::optional<Instant> deadline;
  Reign reign;
  std::optional<ProcessIdentity> postmaster;
};

// How to start the server so that its last step asks the page: `arguments` stand before the
// server's absolute path, `page` is inherited by the child under the same number. The launcher's
// exit codes are GUARD_EXIT_* of guard/page.h.
struct LaunchPrefix {
  std::vector<std::string> arguments;
  int page = -1;
};

// The guard's last firing.
struct GuardFiring {
  Instant at;
  std::int64_t killed = 0;  // processes that needed SIGKILL
  Duration hit{0};          // from the first SIGKILL until each had one pending or was stopped
  Duration took{0};         // from the first SIGKILL until nothing was left
  std::int64_t count = 0;   // firings in the life of the page
};

// F of safety 2.3.
constexpr Duration guard_margin(Duration ttl) { return milliseconds(500) + ttl / 1000; }

class GuardLink {
 public:
  // Requires the exclusive lock on the data directory: there is only one agent for it. Takes over
  // the page of a living guard (one of another version is replaced: the new one watches before the
  // old one is told to leave), else makes a new page and starts a guard. A guard that cannot be
  // started is no failure: it is logged, state() is absent, and it is tried again every few
  // seconds. Fails only without a page (Errc::failed or invalid).
  static Result<std::unique_ptr<GuardLink>> open(boost::asio::any_io_executor executor,
                                                 GuardOptions options);
  // The guard stays as it is: without its agent it fences at the deadline.
  ~GuardLink();
  GuardLink(const GuardLink&) = delete;
  GuardLink& operator=(const GuardLink&) = delete;

  // Present when a living guard was found. Read it before the first arm().
  const std::optional<GuardRecord>& adopted() const;

  // Called on the loop's thread when the guard confirmed something, ended or was replaced.
  void on_change(std::function<void()> call);

  // Raises F to what `ttl` needs; never lowers it. Before arm() for a longer ttl.
  void raise_margin(Duration ttl);

  // A renewal of `reign` was proven (safety 1.1): the server may be a primary until `deadline`.
  // Within a reign the deadline only moves forward; a call that would move it back does nothing.
  // Another reign sets it as given: for a lease with a shorter ttl, arm before the transaction
  // that attaches the key to it is sent. Releases the latch if the deadline is in the future.
  // With a watchdog, `deadline` is already limited by the device (safety 2.8).
  void arm(const Reign& reign, Instant deadline);
  // Did the guard confirm that it will wake in time? To be asked before promote is signalled and
  // before a start without standby.signal; on_change tells when to ask again. Without a guard
  // process because of the setting: whether arm() was called and the time has not come.
  bool armed(Instant now) const;

  // The end of a reign in order (safety 2.6): call when no client backend is left and none is
  // admitted. False, and nothing is changed, when the deadline (less F) has already passed.
  bool disarm(Instant now);
  // A standby is about to be started: nothing to fence, the latch is released. Also before
  // recovery in single-user mode on the way back to a standby.
  void announce_standby_start();
  // The cluster is paused, nothing is fenced (safety 1.8): disarms and releases the latch whatever
  // the time is. For nothing else.
  void suspend_for_pause();

  void set_postmaster(const std::optional<ProcessIdentity>& postmaster);

  // Lends the guard a watchdog device that the caller keeps open (safety 2.8); -1 takes it back,
  // which must happen before the caller closes the device with the magic character. A guard that
  // replaces another gets it again.
  void lend_watchdog(int device);

  // Tells the guard to end, and replaces it no more: the agent leaves and nothing is to be fenced.
  void dismiss();

  // ---- any thread, without locks ----

  // D, when armed for a primary; absent otherwise.
  std::optional<Instant> deadline() const;
  // D - F - 500 ms: the agent's own immediate stop begins then at the latest.
  std::optional<Instant> stop_at() const;
  Duration margin() const;
  // Armed for a primary and not before D - F. Until arm() with a later deadline,
  // announce_standby_start() or suspend_for_pause().
  bool latched(Instant now) const;
  ServerMode mode() const;
  std::optional<GuardFiring> last_firing() const;

  // ---- loop's thread ----

  GuardState state(Instant now) const;
  // 0 = no guard process.
  std::int64_t guard_pid() const;
  // Bits of enum guard_trait; 0 without a guard process.
  std::uint64_t guard_traits() const;

  LaunchPrefix launch_prefix() const;
  // Ends everything that runs in the data directory, before a start (safety 2.5): a command of its
  // own, to be run as a child. Exit code 0: nothing is left.
  std::vector<std::string> sweep_command() const;

 private:
  class Impl;
  explicit GuardLink(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tanist::agent
