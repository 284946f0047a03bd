// SPDX-License-Identifier: Apache-2.0
// Performs what guard_step() decides.
#define _GNU_SOURCE
#include "guard/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "guard/line.h"
#include "guard/peers.h"
#include "guard/privileges.h"
#include "guard/step.h"
#include "guard/sweep.h"

// How often a guard that no agent is connected to looks whether its data directory still exists.
#define ORPHAN_PAUSE UINT64_C(60000000000)

struct watch {
  guard_clock* now;
  struct guard_page* page;
  uint64_t self;  // this process, as in the page
  int timer;
  int signals;
  int log;  // -1 = none
  bool log_is_socket;
  struct guard_peers peers;
  struct guard_server server;
  struct guard_memory memory;
  struct guard_sweep sweep;
  bool firing;           // begun and not yet recorded
  uint64_t fired_at;     // when it began
  uint64_t first_kill;   // when the first SIGKILL was due; 0 = none was
  uint64_t hit;          // when each process had one pending or was stopped; 0 = not yet
  uint64_t order;        // acted on last
  uint64_t wake_at;      // the timer is set for it
  uint64_t orphan_look;  // when to look for the data directory next
  bool idle;             // nothing is armed, or nothing is left to kill
};

struct guard_page* guard_map_page(int fd) {
  struct stat found;
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return NULL;
  if (fstat(fd, &found) != 0 || found.st_size != GUARD_PAGE_BYTES) return NULL;
  struct guard_page* page = mmap(NULL, GUARD_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return NULL;
  const bool ours =
      page->magic == GUARD_PAGE_MAGIC && memchr(page->directory, '\0', GUARD_PATH_BYTES) != NULL &&
      memchr(page->server_name, '\0', GUARD_NAME_BYTES) != NULL && page->directory[0] == '/';
  if (ours) return page;
  munmap(page, GUARD_PAGE_BYTES);
  return NULL;
}

// Where log lines go, if they can neither make the guard wait nor somebody else: the journal's
// socket or a terminal. A pipe is let go, because its reader would wait for the guard's end.
static void open_log(struct watch* watch) {
  struct stat found;
  watch->log = -1;
  if (fstat(STDERR_FILENO, &found) != 0) return;
  watch->log_is_socket = S_ISSOCK(found.st_mode);
  if (watch->log_is_socket) watch->log = STDERR_FILENO;
  if (S_ISCHR(found.st_mode)) {
    watch->log = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  }
  if (!watch->log_is_socket) dup2(STDIN_FILENO, STDERR_FILENO);  // /dev/null
}

static void log_line(const struct watch* watch, struct guard_line* line) {
  guard_put(line, "\n");
  const ssize_t written =
      watch->log_is_socket ? send(watch->log, line->text, line->length, MSG_DONTWAIT | MSG_NOSIGNAL)
                           : write(watch->log, line->text, line->length);
  (void)written;  // the page holds the record; a lost line is no reason to stop
}

// Only the guard that took the page over last writes its diagnosis.
static void report(const struct watch* watch, uint64_t* word, uint64_t value) {
  if (guard_load(&watch->page->guard) == watch->self) guard_store(word, value);
}

// The directory as it is known now.
static void aim(struct watch* watch) {
  struct guard_server* server = &watch->server;
  server->inode = guard_load(&watch->page->directory_inode);
  server->device = guard_load(&watch->page->directory_device);
  if (server->inode == 0) {
    guard_find_directory(watch->page->directory, &server->device, &server->inode);
  }
}

static void record(struct watch* watch) {
  const uint64_t took = watch->first_kill != 0 ? watch->now() - watch->first_kill : 0;
  const uint64_t hit = watch->hit != 0 ? watch->hit - watch->first_kill : took;
  struct guard_line line = {0};
  if (guard_load(&watch->page->guard) == watch->self) {
    const struct guard_change change =
        guard_record_firing(watch->page, watch->fired_at, watch->sweep.killed, hit, took);
    guard_apply(&change);
  }
  guard_put(&line, "tanist-guard: the lock's deadline passed; nothing runs in ");
  guard_put(&line, watch->page->directory);
  guard_put(&line, " (");
  guard_put_number(&line, watch->sweep.killed);
  guard_put(&line, " processes killed, ");
  guard_put_duration(&line, took);
  guard_put(&line, ")");
  log_line(watch, &line);
  watch->firing = false;
  watch->first_kill = 0;
  watch->hit = 0;
  watch->sweep.killed = 0;
  watch->sweep.hit = false;
}

static void perform(struct watch* watch, enum guard_act act, uint64_t now) {
  const uint64_t postmaster = guard_load(&watch->page->postmaster);
  switch (act) {
    case GUARD_ACT_REST: break;
    case GUARD_ACT_QUIT: guard_quit(&watch->server, postmaster); break;
    case GUARD_ACT_SWEEP:
      if (!watch->firing) watch->fired_at = now;  // a server that appeared while latched
      watch->firing = true;
      if (watch->first_kill == 0) watch->first_kill = now;
      guard_sweep_round(&watch->server, &watch->sweep, postmaster);
      if (watch->hit == 0 && watch->sweep.hit) watch->hit = watch->now();
      break;
    case GUARD_ACT_FINISH: guard_sweep_finish(&watch->sweep); break;
  }
}

// Asks the rule once and does what it says.
static void tend(struct watch* watch) {
  const struct guard_view view = guard_view_of(watch->page);
  const uint64_t now = watch->now();
  struct guard_processes found = {0};
  report(watch, &watch->page->heartbeat, now);
  guard_sweep_release(&watch->sweep);
  if (guard_expired(view, now)) {
    aim(watch);
    found = guard_look(&watch->server);
  }
  const struct guard_verdict verdict = guard_step(view, now, found, watch->memory);
  watch->memory = verdict.memory;
  if (verdict.fire) {
    report(watch, &watch->page->latch, view.order);
    watch->firing = true;
    watch->fired_at = now;
  }
  perform(watch, verdict.act, now);
  const bool over = verdict.act == GUARD_ACT_REST && now >= guard_kill_at(view);
  if (watch->firing && (over || !guard_expired(view, now))) record(watch);
  if (over) guard_peers_release_watchdog(&watch->peers);
  watch->idle = over || guard_quit_at(view) == GUARD_NEVER;
  watch->order = view.order;
  watch->wake_at = verdict.wake_at;
}

// True when there is nothing left that this guard could be for: no agent, nothing to kill, and no
// data directory. It looks when the last agent has gone, and from then on once in a while.
static bool orphaned(struct watch* watch) {
  uint64_t device;
  uint64_t inode;
  if (guard_peers_connected(&watch->peers) || !watch->idle) {
    watch->orphan_look = 0;
    return false;
  }
  const uint64_t now = watch->now();
  if (now < watch->orphan_look) return false;
  watch->orphan_look = now + ORPHAN_PAUSE;
  if (guard_find_directory(watch->page->directory, &device, &inode)) return false;
  return errno == ENOENT || errno == ENOTDIR;
}

// While an agent is connected and nothing is armed, nothing wakes the guard.
static void set_timer(struct watch* watch) {
  uint64_t at = watch->wake_at;
  if (watch->idle && !guard_peers_connected(&watch->peers) && watch->orphan_look < at) {
    at = watch->orphan_look;
  }
  struct itimerspec setting = {0};
  if (at != GUARD_NEVER) {
    const uint64_t past_is_now = at > 0 ? at : 1;
    setting.it_value.tv_sec = (time_t)(past_is_now / 1000000000);
    setting.it_value.tv_nsec = (long)(past_is_now % 1000000000);
  }
  timerfd_settime(watch->timer, TFD_TIMER_ABSTIME, &setting, NULL);
  report(watch, &watch->page->watching, watch->wake_at);
}

static void wait_for_events(struct watch* watch) {
  struct pollfd events[3 + GUARD_PEERS_MAX] = {{watch->timer, POLLIN, 0},
                                               {watch->signals, POLLIN, 0}};
  const unsigned count = 2 + guard_peers_wait_for(&watch->peers, events + 2);
  uint64_t expirations;
  struct signalfd_siginfo signal;
  if (poll(events, count, -1) < 0) return;
  while (read(watch->timer, &expirations, sizeof expirations) > 0) continue;
  while (read(watch->signals, &signal, sizeof signal) > 0) {
    if (watch->idle) watch->peers.leave = true;  // while armed, only an agent may dismiss it
  }
  guard_peers_receive(&watch->peers);
}

// No signal but SIGKILL and SIGSTOP interrupts the guard; SIGTERM is read when convenient.
static int take_signals(void) {
  sigset_t all;
  sigset_t end;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  return signalfd(-1, &end, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool start(struct watch* watch, const struct guard_watch_options* options) {
  struct guard_process self;
  if (chdir("/") != 0 || !guard_open_server(&watch->server, watch->page->server_name)) return false;
  if (!guard_read_process(&watch->server, getpid(), &self)) return false;
  umask(0077);
  open_log(watch);
  watch->signals = take_signals();
  watch->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (watch->signals < 0 || watch->timer < 0) return false;
  uint64_t traits = guard_take_privileges();
  guard_peers_open(&watch->peers, watch->page, options->page_fd, options->folder_fd,
                   options->agent_fd);
  if (watch->peers.listener >= 0) traits |= GUARD_TRAIT_FINDABLE;
  // What an earlier guard fired on stays fired on.
  watch->memory.fired = guard_load(&watch->page->latch);
  watch->self = guard_process_of((uint64_t)self.pid, self.start_ticks);
  guard_store(&watch->page->guard, watch->self);
  guard_store(&watch->page->traits, traits);
  return true;
}

int guard_watch(const struct guard_watch_options* options, guard_clock* now) {
  static struct watch watch;
  watch.now = now;
  watch.page = guard_map_page(options->page_fd);
  if (watch.page == NULL || !start(&watch, options)) return 1;
  for (;;) {
    tend(&watch);
    if (watch.peers.leave || orphaned(&watch)) break;
    set_timer(&watch);
    guard_peers_answer(&watch.peers, watch.order, watch.wake_at);
    wait_for_events(&watch);
  }
  guard_sweep_finish(&watch.sweep);
  guard_peers_answer(&watch.peers, watch.order, watch.wake_at);
  guard_peers_close(&watch.peers);
  report(&watch, &watch.page->guard, 0);
  return 0;
}
