// SPDX-License-Identifier: Apache-2.0
// Kills a server whatever state it is in (safety 2.5): the postmaster is stopped so that it starts
// nothing new, everything else is killed until nothing else is left, then the postmaster is killed,
// and one more look finds nothing. Done in rounds of one look each, so that the caller can do
// something else in between. Allocates nothing. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guard/processes.h"
#include "guard/step.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_HELD_MAX 8

// A sweep under way; zeroed before the first round.
struct guard_sweep {
  uint32_t held_count;
  struct {
    pid_t pid;
    int fd;       // its pidfd; -1 on a kernel without
    bool killed;  // at the end of its sweep; kept until it is gone
  } held[GUARD_HELD_MAX];
  uint32_t killed;  // processes that got SIGKILL, each counted once
  bool hit;         // a whole look found nobody who neither has SIGKILL pending nor is stopped
};

// Whether any of the server's processes can still run (safety 2.3: one in uninterruptible sleep
// with SIGKILL pending cannot). An incomplete look counts as one: what was not seen is not known
// to be gone.
struct guard_processes guard_look(const struct guard_server* server);

// Is anything there at all, be it in its exit? Until nothing is, a new server may find the shared
// memory in use.
bool guard_any_left(const struct guard_server* server);

// SIGQUIT to the postmaster (an immediate stop); orphans of an earlier one get it too when it is
// not known. `postmaster`: as recorded in the page, 0 = not known; it is not trusted but checked.
void guard_quit(const struct guard_server* server, uint64_t postmaster);

// One round. Call it until guard_look() finds none, with a pause: the killed need time to die. The
// first one begins with what takes least, because that counts when the processors are busy: it
// stops the postmaster and kills its children. Each looks through /proc for everything else.
void guard_sweep_round(const struct guard_server* server, struct guard_sweep* sweep,
                       uint64_t postmaster);

// Kills what the sweep holds stopped; looks for nothing else.
void guard_sweep_finish(struct guard_sweep* sweep);

// Forgets the postmasters that the sweep killed and that are gone. True when none is left: only
// then a new server finds the lock file's process dead.
bool guard_sweep_release(struct guard_sweep* sweep);

#ifdef __cplusplus
}
#endif
