// SPDX-License-Identifier: Apache-2.0
// The guard itself: sleeps until the deadline less the margin, asks the rule (step.h) and does what
// it says, in a loop that needs neither memory nor the data directory's disk. One thread; the
// process does nothing else.
#pragma once

#include <stdint.h>

#include "guard/page.h"

#ifdef __cplusplus
extern "C" {
#endif

// Nanoseconds of CLOCK_BOOTTIME.
typedef uint64_t guard_clock(void);

struct guard_watch_options {
  int page_fd;    // the page's memfd
  int agent_fd;   // a connected SOCK_SEQPACKET socket to the agent that starts it; -1 = none
  int folder_fd;  // the folder for the guard's socket; -1 = none
};

// Maps the page behind `fd` for reading and writing. NULL when it is not one of ours: wrong size,
// not sealed against shrinking, another magic.
struct guard_page* guard_map_page(int fd);

// Runs until told to leave, or until nothing is left to guard: no agent, not armed, and the data
// directory is gone. Returns the exit code.
int guard_watch(const struct guard_watch_options* options, guard_clock* now);

#ifdef __cplusplus
}
#endif
