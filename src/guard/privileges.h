// SPDX-License-Identifier: Apache-2.0
// What makes the guard run when memory and processors are short, as far as the system allows it.
// Called once at start; never fails, says what was granted.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Locks the memory, raises the priority (SCHED_FIFO, else the best nice value allowed) and takes
// the process out of the OOM killer's reach. Returns bits of enum guard_trait.
uint64_t guard_take_privileges(void);

// For a child that becomes the server: it must not inherit its parent's protection from the OOM
// killer (trap 138), unless the operator manages it (PG_OOM_ADJUST_FILE).
void guard_drop_oom_protection(void);

#ifdef __cplusplus
}
#endif
