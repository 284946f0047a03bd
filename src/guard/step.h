// SPDX-License-Identifier: Apache-2.0
// The guard's rule (safety 2.3, 2.4, 2.10): from what the page says, the time and the processes of
// the server to what to do now and when to look again. Pure: the guard and the simulator run the
// same code. Times are nanoseconds of CLOCK_BOOTTIME.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guard/page.h"

#ifdef __cplusplus
extern "C" {
#endif

// How soon a sweep looks again while something is left, and how soon a latched guard looks for a
// server that somebody started.
#define GUARD_SWEEP_PAUSE UINT64_C(2000000)
#define GUARD_LATCH_PAUSE UINT64_C(100000000)

// The part of the page that the rule reads.
struct guard_view {
  uint64_t order;
  uint64_t margin;
};

// What the guard remembers from step to step; zeroed at its start. A guard that replaces a dead one
// starts from zero: it may send SIGQUIT a second time, which changes nothing.
struct guard_memory {
  uint64_t fired;  // the order on which it fired last; 0 = none
  bool sweeping;   // a sweep has begun and something was left
};

// What was found when the processes were looked at, after `guard_expired` said that it is needed;
// zero otherwise. How many of the server's processes can still run, counted or only known to be
// there (one): those in uninterruptible sleep with SIGKILL pending are fenced and not in it.
struct guard_processes {
  uint32_t living;
};

enum guard_act {
  GUARD_ACT_REST,    // nothing
  GUARD_ACT_QUIT,    // SIGQUIT to the postmaster, whoever it is
  GUARD_ACT_SWEEP,   // one round of the sweep (sweep.h)
  GUARD_ACT_FINISH,  // end a sweep that was overtaken by a new order: only what it holds stopped
                     // dies, nothing else is looked for (it may be a new server by now)
};

struct guard_verdict {
  enum guard_act act;
  bool fire;         // a firing begins: the page's latch is to be set
  uint64_t wake_at;  // look again then at the latest; GUARD_NEVER = when the page is said to change
  struct guard_memory memory;
};

// Reads the two words. The order first: who stores a longer deadline has stored its margin before.
static inline struct guard_view guard_view_of(const struct guard_page* page) {
  struct guard_view view;
  view.order = guard_load(&page->order);
  view.margin = guard_load(&page->margin);
  return view;
}

// D - F: the latest moment at which the server may live untouched. GUARD_NEVER unless armed.
uint64_t guard_quit_at(struct guard_view view);
// D - F/2: from then on everything is killed. GUARD_NEVER unless armed.
uint64_t guard_kill_at(struct guard_view view);
// Armed and not before D - F. Stays true until the order changes: this is what "latched" means.
bool guard_expired(struct guard_view view, uint64_t now);

struct guard_verdict guard_step(struct guard_view view, uint64_t now,
                                struct guard_processes processes, struct guard_memory memory);

// The last question before a child becomes postgres (safety 2.4). `standby`: standby.signal is in
// the data directory. `single_user`: not a postmaster, accepts no connection.
// Returns 0, GUARD_EXIT_EXPIRED or GUARD_EXIT_NO_STANDBY.
int guard_start_refused(struct guard_view view, uint64_t now, bool standby, bool single_user);

#ifdef __cplusplus
}
#endif
