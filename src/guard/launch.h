// SPDX-License-Identifier: Apache-2.0
// The child that becomes the server: its last step before execve asks the page whether the start
// may still happen (safety 2.4). Every start of a server goes through it.
#pragma once

#include "guard/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

// Enters the data directory (from here on the guard's sweep finds this process), tells the page
// which directory that is and that this is the postmaster, and becomes `arguments[0]`, an absolute
// path; the page's descriptor is closed by that. Returns only when it does not: one of
// GUARD_EXIT_*.
int guard_launch(int page_fd, char* const* arguments, guard_clock* now);

#ifdef __cplusplus
}
#endif
