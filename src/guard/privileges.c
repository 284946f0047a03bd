// SPDX-License-Identifier: Apache-2.0
// Each request is tried and may be refused: an unprivileged guard still works.
#define _GNU_SOURCE
#include "guard/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guard/page.h"

// Stack that the guard may need, touched so that it is there and locked.
static void touch_stack(void) {
  volatile char stack[96 * 1024];
  for (size_t at = 0; at < sizeof stack; at += 1024) stack[at] = 0;
}

static bool raise_nice(void) {
  struct rlimit limit;
  if (setpriority(PRIO_PROCESS, 0, -20) == 0) return true;
  if (getrlimit(RLIMIT_NICE, &limit) != 0 || limit.rlim_cur <= 20) return false;
  return setpriority(PRIO_PROCESS, 0, 20 - (int)limit.rlim_cur) == 0;
}

static bool set_oom_score(const char* score) {
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool done = write(file, score, strlen(score)) > 0;
  close(file);
  return done;
}

uint64_t guard_take_privileges(void) {
  const struct sched_param lowest = {.sched_priority = 1};
  uint64_t traits = 0;
  touch_stack();
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) traits |= GUARD_TRAIT_MEMORY_LOCKED;
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0) {
    traits |= GUARD_TRAIT_REAL_TIME;
  } else if (raise_nice()) {
    traits |= GUARD_TRAIT_RAISED;
  }
  if (set_oom_score("-1000")) traits |= GUARD_TRAIT_OOM_SAFE;
  return traits;
}

void guard_drop_oom_protection(void) {
  char score[16] = "";
  if (getenv("PG_OOM_ADJUST_FILE") != NULL) return;
  const int file = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  const ssize_t got = read(file, score, sizeof score - 1);
  close(file);
  if (got > 0 && score[0] == '-') set_oom_score("0");
}
