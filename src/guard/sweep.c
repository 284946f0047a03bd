// SPDX-License-Identifier: Apache-2.0
// Signals go through pidfds, and whose the process is gets asked again after its pidfd is open: a
// reused pid is never hit. Children of a stopped parent need none: nobody else can reap them.
#define _GNU_SOURCE
#include "guard/sweep.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_process(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

// By pidfd; by pid where there is none (kernel before 5.3, no descriptor left).
static bool send(int fd, pid_t pid, int signal) {
  if (fd < 0) return kill(pid, signal) == 0;
  return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
}

static void signal_process(const struct guard_server* server, pid_t pid, int signal) {
  const int fd = open_process(pid);
  if (fd < 0 && errno == ESRCH) return;
  if (guard_is_of_server(server, pid)) send(fd, pid, signal);
  if (fd >= 0) close(fd);
}

// ---- Looking ------------------------------------------------------------------------------------

struct look {
  const struct guard_server* server;
  bool running;  // one that can still run
  bool any;      // one at all
};

static bool look_at(void* context, pid_t pid) {
  struct look* look = context;
  struct guard_process process;
  if (!guard_read_process(look->server, pid, &process)) return true;
  look->any = true;
  look->running = !process.fenced;
  return !look->running;
}

static bool note_any(void* context, pid_t pid) {
  struct look* look = context;
  (void)pid;
  look->any = true;
  return false;
}

struct guard_processes guard_look(const struct guard_server* server) {
  struct look look = {server, false, false};
  const bool whole = guard_each_process(server, look_at, &look);
  const struct guard_processes found = {look.running || !whole ? 1 : 0};
  return found;
}

bool guard_any_left(const struct guard_server* server) {
  struct look look = {server, false, false};
  return !guard_each_process(server, note_any, &look) || look.any;
}

// One of the server's processes that was not killed yet.
static bool is_alive(const struct guard_server* server, pid_t pid, struct guard_process* into) {
  return guard_is_of_server(server, pid) && guard_read_process(server, pid, into) && !into->dying;
}

// The recorded postmaster's pid if that is still so; else 0.
static pid_t living_postmaster(const struct guard_server* server, uint64_t postmaster) {
  const pid_t pid = (pid_t)guard_pid_of(postmaster);
  struct guard_process process;
  if (pid == 0 || !is_alive(server, pid, &process)) return 0;
  return process.start_ticks == guard_start_ticks_of(postmaster) ? pid : 0;
}

// ---- SIGQUIT ------------------------------------------------------------------------------------

static bool quit_root(void* context, pid_t pid) {
  const struct guard_server* server = context;
  struct guard_process process;
  if (guard_read_process(server, pid, &process) && !guard_is_of_server(server, process.parent)) {
    signal_process(server, pid, SIGQUIT);
  }
  return true;
}

void guard_quit(const struct guard_server* server, uint64_t postmaster) {
  const pid_t pid = living_postmaster(server, postmaster);
  if (pid != 0) {
    signal_process(server, pid, SIGQUIT);
  } else {
    guard_each_process(server, quit_root, (void*)server);
  }
}

// ---- The sweep ----------------------------------------------------------------------------------

struct round {
  const struct guard_server* server;
  struct guard_sweep* sweep;
  uint32_t left;  // seen, and neither held nor fenced
};

static bool is_held(const struct guard_sweep* sweep, pid_t pid) {
  for (uint32_t i = 0; i < sweep->held_count; ++i) {
    if (sweep->held[i].pid == pid && !sweep->held[i].killed) return true;
  }
  return false;
}

static bool holds_any(const struct guard_sweep* sweep) {
  for (uint32_t i = 0; i < sweep->held_count; ++i) {
    if (!sweep->held[i].killed) return true;
  }
  return false;
}

// Stops a postmaster and keeps it until everything else is dead.
static void hold(const struct round* round, pid_t pid) {
  struct guard_sweep* sweep = round->sweep;
  if (sweep->held_count == GUARD_HELD_MAX || is_held(sweep, pid)) return;
  const int fd = open_process(pid);
  if (fd < 0 && errno == ESRCH) return;
  if (!guard_is_of_server(round->server, pid) || !send(fd, pid, SIGSTOP)) {
    if (fd >= 0) close(fd);
    return;
  }
  sweep->held[sweep->held_count].pid = pid;
  sweep->held[sweep->held_count].fd = fd;
  sweep->held[sweep->held_count].killed = false;
  ++sweep->held_count;
}

// Who has children among the server's processes is a postmaster.
static bool hold_parent(void* context, pid_t pid) {
  const struct round* round = context;
  struct guard_process process;
  struct guard_process parent;
  if (guard_read_process(round->server, pid, &process) &&
      is_alive(round->server, process.parent, &parent)) {
    hold(round, parent.pid);
  }
  return true;
}

// Also a backend whose code has changed its working directory.
static bool kill_child(void* context, pid_t pid) {
  struct round* round = context;
  if (is_held(round->sweep, pid) || kill(pid, SIGKILL) != 0) return true;
  ++round->left;
  ++round->sweep->killed;
  return true;
}

// Did it take an earlier SIGKILL? /proc tells flags before pending signals: what was taken between
// the two shows in a second look only.
static bool is_struck(const struct guard_server* server, const struct guard_process* seen) {
  struct guard_process again;
  if (seen->struck) return true;
  return !guard_read_process(server, seen->pid, &again) || again.dying || again.struck;
}

static bool kill_living_child(void* context, pid_t pid) {
  struct round* round = context;
  struct guard_process process;
  if (!guard_read_process(round->server, pid, &process) || process.fenced) return true;
  if (!process.dying && !is_struck(round->server, &process)) return kill_child(context, pid);
  if (!process.dying) kill(pid, SIGKILL);  // ends a core dump
  ++round->left;
  return true;
}

static void each_child_of_held(struct round* round, guard_visit* visit) {
  for (uint32_t i = 0; i < round->sweep->held_count; ++i) {
    const bool held = !round->sweep->held[i].killed;
    if (held) guard_each_child(round->server, round->sweep->held[i].pid, visit, round);
  }
}

static bool kill_one(void* context, pid_t pid) {
  struct round* round = context;
  struct guard_process process;
  if (is_held(round->sweep, pid)) return true;
  if (!guard_read_process(round->server, pid, &process) || process.fenced) return true;
  ++round->left;
  if (process.dying) return true;
  if (!is_struck(round->server, &process)) ++round->sweep->killed;
  signal_process(round->server, pid, SIGKILL);
  return true;
}

void guard_sweep_round(const struct guard_server* server, struct guard_sweep* sweep,
                       uint64_t postmaster) {
  struct round round = {server, sweep, 0};
  if (!holds_any(sweep)) {
    const pid_t pid = living_postmaster(server, postmaster);
    if (pid != 0) {
      hold(&round, pid);
    } else {
      guard_each_process(server, hold_parent, &round);
    }
    each_child_of_held(&round, kill_child);
  }
  const uint32_t killed = sweep->killed;
  const bool whole = guard_each_process(server, kill_one, &round);
  sweep->hit = sweep->hit || (whole && sweep->killed == killed);
  if (whole && round.left == 0) each_child_of_held(&round, kill_living_child);
  if (whole && round.left == 0) guard_sweep_finish(sweep);
}

void guard_sweep_finish(struct guard_sweep* sweep) {
  for (uint32_t i = 0; i < sweep->held_count; ++i) {
    if (sweep->held[i].killed) continue;
    if (send(sweep->held[i].fd, sweep->held[i].pid, SIGKILL)) ++sweep->killed;
    sweep->held[i].killed = true;
  }
}

bool guard_sweep_release(struct guard_sweep* sweep) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < sweep->held_count; ++i) {
    struct pollfd end = {sweep->held[i].fd, POLLIN, 0};
    const bool gone = sweep->held[i].fd < 0 || poll(&end, 1, 0) == 1;
    if (!sweep->held[i].killed || !gone) {
      sweep->held[kept++] = sweep->held[i];
    } else if (sweep->held[i].fd >= 0) {
      close(sweep->held[i].fd);
    }
  }
  sweep->held_count = kept;
  return kept == 0;
}
