// SPDX-License-Identifier: Apache-2.0
// The page shared with the guard, as the agent sees it: its memfd, its mapping, and its words as
// our own types (guard/page.h has their meaning and the order of stores). Created or taken over
// once, at start; reading is lock free on any thread, writing belongs to the loop's thread.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "core/types.h"
#include "guard/page.h"
#include "os/descriptor.h"

namespace tanist::agent {

using os::Descriptor;

// What the server is meant to be (guard_mode of guard/page.h).
enum class ServerMode { none, standby, primary };

class GuardPage {
 public:
  // A new page: mode none, margin 500 ms. `directory` is absolute; `server_name` is the base name
  // of the server's executable. Errc::invalid when one of them is too long, failed when the system
  // refuses. Reads the boot id and looks up the directory: may wait for a disk.
  static Result<GuardPage> create(const std::string& directory, const std::string& server_name);
  // Another agent's page, received from a guard. Errc::invalid when it is none of ours, of another
  // data directory or of an earlier boot.
  static Result<GuardPage> take_over(Descriptor memory, const std::string& directory);

  GuardPage(GuardPage&& other) noexcept;
  GuardPage& operator=(GuardPage&&) = delete;
  ~GuardPage();

  int descriptor() const { return memory_.get(); }

  // ---- reading: any thread ----
  ServerMode mode() const;
  // D of the armed order; absent unless the mode is primary.
  std::optional<Instant> deadline() const;
  Duration margin() const;  // F
  // Mode primary and now >= D - F.
  bool expired(Instant now) const;
  Reign reign() const;
  std::optional<ProcessIdentity> postmaster() const;
  const guard_page& words() const { return *page_; }

  // ---- writing: the loop's thread ----
  void arm(const Reign& reign, Instant deadline);
  void set_mode(ServerMode mode);  // none or standby
  void raise_margin(Duration margin);
  void set_postmaster(const std::optional<ProcessIdentity>& postmaster);
  // Looks the directory up and names it; may wait for a disk.
  void name_directory();

 private:
  GuardPage(Descriptor memory, guard_page* page);

  Descriptor memory_;
  guard_page* page_;
};

inline std::uint64_t to_nanoseconds(Instant time) {
  const auto count = time.time_since_epoch().count();
  return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}
inline Instant to_instant(std::uint64_t nanoseconds) {
  return Instant(Duration(static_cast<std::int64_t>(nanoseconds)));
}

}  // namespace tanist::agent
