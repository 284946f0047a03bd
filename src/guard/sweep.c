// SPDX-License-Identifier: Apache-2.0
// Signals go through pidfds, and whose the process is gets asked again after its pidfd is open: a
// reused pid is never hit.
#define _GNU_SOURCE
#include "guard/sweep.h"

#include <errno.h>
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

static void count_living(void* context, const struct guard_process* process) {
  if (!process->fenced) ++((struct guard_processes*)context)->living;
}

struct guard_processes guard_count(const struct guard_server* server) {
  struct guard_processes found = {0};
  if (!guard_each_process(server, count_living, &found)) ++found.living;
  return found;
}

static void quit_root(void* context, const struct guard_process* process) {
  const struct guard_server* server = context;
  if (!guard_is_of_server(server, process->parent)) signal_process(server, process->pid, SIGQUIT);
}

void guard_quit(const struct guard_server* server) {
  guard_each_process(server, quit_root, (void*)server);
}

struct round {
  const struct guard_server* server;
  struct guard_sweep* sweep;
  uint32_t left;  // seen, and neither held nor fenced
};

static bool is_held(const struct guard_sweep* sweep, pid_t pid) {
  for (uint32_t i = 0; i < sweep->held_count; ++i) {
    if (sweep->held[i].pid == pid) return true;
  }
  return false;
}

// Who has children among the server's processes is a postmaster.
static void hold_parent(void* context, const struct guard_process* process) {
  const struct round* round = context;
  struct guard_sweep* sweep = round->sweep;
  const pid_t pid = process->parent;
  if (sweep->held_count == GUARD_HELD_MAX || is_held(sweep, pid)) return;
  if (!guard_is_of_server(round->server, pid)) return;
  const int fd = open_process(pid);
  if (fd < 0 && errno == ESRCH) return;
  if (!guard_is_of_server(round->server, pid) || !send(fd, pid, SIGSTOP)) {
    if (fd >= 0) close(fd);
    return;
  }
  sweep->held[sweep->held_count].pid = pid;
  sweep->held[sweep->held_count].fd = fd;
  ++sweep->held_count;
}

static void kill_one(void* context, const struct guard_process* process) {
  struct round* round = context;
  if (process->fenced || is_held(round->sweep, process->pid)) return;
  ++round->left;
  if (process->dying) return;
  signal_process(round->server, process->pid, SIGKILL);
  ++round->sweep->killed;
}

// A backend whose code changed its working directory is still a child of its postmaster.
static void kill_stray(void* context, const struct guard_process* process) {
  struct round* round = context;
  if (process->fenced || guard_is_of_server(round->server, process->pid)) return;
  ++round->left;
  if (process->dying) return;
  const int fd = open_process(process->pid);
  if (fd < 0 && errno == ESRCH) return;
  if (guard_runs_server(round->server, process->pid)) send(fd, process->pid, SIGKILL);
  if (fd >= 0) close(fd);
  ++round->sweep->killed;
}

void guard_sweep_round(const struct guard_server* server, struct guard_sweep* sweep) {
  struct round round = {server, sweep, 0};
  if (sweep->held_count == 0) guard_each_process(server, hold_parent, &round);
  if (!guard_each_process(server, kill_one, &round)) ++round.left;
  for (uint32_t i = 0; i < sweep->held_count; ++i) {
    guard_each_child(server, sweep->held[i].pid, kill_stray, &round);
  }
  if (round.left == 0) guard_sweep_finish(sweep);
}

void guard_sweep_finish(struct guard_sweep* sweep) {
  for (uint32_t i = 0; i < sweep->held_count; ++i) {
    if (send(sweep->held[i].fd, sweep->held[i].pid, SIGKILL)) ++sweep->killed;
    if (sweep->held[i].fd >= 0) close(sweep->held[i].fd);
  }
  sweep->held_count = 0;
}
