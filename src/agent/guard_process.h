// SPDX-License-Identifier: Apache-2.0
// A running guard as the agent knows it: how it is found, started and spoken to. Everything here is
// plain blocking code with deadlines, for the agent's start and for a thread of its own; only the
// functions that say so may run on the loop's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "guard/page.h"
#include "os/descriptor.h"

namespace tanist::agent {

using os::Descriptor;

// A guard that runs. It outlives this value.
struct GuardProcess {
  std::int64_t pid = 0;
  Descriptor pidfd;
  Descriptor socket;    // SOCK_SEQPACKET, non-blocking; closed when the guard does not answer
  std::string version;  // of its program; empty when it does not answer
  Descriptor page;      // the memfd that it works on
};

// The folder for sockets of guards: $RUNTIME_DIRECTORY (the first, if several), else
// /run/user/UID/tanist, else /tmp/tanist-UID. The last two are created 0700; all are refused when
// somebody else owns them or may write to them. `preferred`, if not empty, stands for
// $RUNTIME_DIRECTORY.
Result<Descriptor> open_guard_folder(const std::string& preferred);

// Asks for the guard of `directory`. Absent: there is none. One that does not answer within `limit`
// is woken with SIGCONT and asked again. One that is silent after that, or whose socket somebody
// removed (a runtime directory that went with its service), is found in /proc: its page is known,
// but it can only be replaced and killed. A socket of another user counts as none.
std::optional<GuardProcess> find_guard(const Descriptor& folder, const std::string& directory,
                                       Duration limit);

// All guards of `directory` in /proc, by the pages that they hold open.
std::vector<GuardProcess> guards_in_proc(const std::string& directory);

// Starts `program` on the page; it answers (GUARD_WELCOME) when it watches. Waits for the disk that
// the program is on, not for the answer. Errc::failed names the program and the cause.
Result<GuardProcess> start_guard(const std::string& program, int page, const Descriptor& folder);

// Waits for the welcome of a guard just started or asked. Errc::timeout, or failed when it ended.
Result<void> await_welcome(GuardProcess& guard, Duration limit);

// ---- never wait: any thread ----

// False when the guard cannot take a message now, or is gone. `attached`: a descriptor that it gets
// a duplicate of; -1 = none.
bool send_to_guard(int socket, guard_message_kind kind, int attached = -1);

// A message that has come, and the descriptor that came with it.
struct GuardAnswer {
  guard_message message{};
  Descriptor attached;
};
// Absent: nothing more has come. Errc::failed: the guard closed the connection or talks nonsense.
Result<std::optional<GuardAnswer>> receive_from_guard(int socket);

// SIGCONT or SIGKILL to exactly this process.
void signal_guard(int pidfd, int signal);

}  // namespace tanist::agent
