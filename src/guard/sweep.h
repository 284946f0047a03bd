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
    int fd;  // its pidfd; -1 on a kernel without
  } held[GUARD_HELD_MAX];
  uint32_t killed;  // processes that got SIGKILL, each counted once
};

// How many of the server's processes can still run. An incomplete look counts as one more: what was
// not seen is not known to be gone.
struct guard_processes guard_count(const struct guard_server* server);

// SIGQUIT to the postmaster (an immediate stop), and to orphans of an earlier one.
void guard_quit(const struct guard_server* server);

// One round. Call it until guard_count() finds none, with a pause: the killed need time to die.
void guard_sweep_round(const struct guard_server* server, struct guard_sweep* sweep);

// Kills what the sweep holds stopped and forgets it; looks for nothing else.
void guard_sweep_finish(struct guard_sweep* sweep);

#ifdef __cplusplus
}
#endif
