// SPDX-License-Identifier: Apache-2.0
// tanist-guard: the fencing process and the tools that share its program. Arguments only.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guard/canary.h"
#include "guard/launch.h"
#include "guard/line.h"
#include "guard/sweep.h"
#include "guard/watch.h"

#define EXIT_USAGE 2
#define EXIT_LEFT 3
#define SWEEP_LIMIT UINT64_C(10000000000)
#define EXIT_LIMIT UINT64_C(1000000000)

static const char help[] =
    "tanist-guard keeps a PostgreSQL server from outliving its leader lock.\n"
    "\n"
    "  tanist-guard watch --page-fd N [--agent-fd N] [--folder-fd N]\n"
    "      The guard. Started by the agent, which hands it the descriptors.\n"
    "  tanist-guard launch --page-fd N -- /PATH/postgres ARGS...\n"
    "      Becomes the server, unless the deadline has passed (exit 90), it was to be a standby\n"
    "      and standby.signal is missing (91), the page is unusable (92) or the server is (93).\n"
    "  tanist-guard sweep DATA_DIRECTORY [--kill] [--name EXECUTABLE]\n"
    "      Lists the processes of the server in that directory; with --kill ends them all, also\n"
    "      orphans and stopped ones. Exit 0: none is left; 3: some are.\n"
    "  tanist-guard canary DATA_DIRECTORY [SECONDS]\n"
    "      Writes and syncs a block there and in its pg_wal every two seconds and tells on\n"
    "      standard error how long that took, until it is ended.\n"
    "  tanist-guard --version | --help\n";

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void say(int fd, const char* text) {
  const ssize_t written = write(fd, text, strlen(text));
  (void)written;
}

static int usage(const char* why) {
  say(STDERR_FILENO, "tanist-guard: ");
  say(STDERR_FILENO, why);
  say(STDERR_FILENO, " (see tanist-guard --help)\n");
  return EXIT_USAGE;
}

// A descriptor's number, or -1.
static int descriptor(const char* text) {
  const char* at = text;
  const uint64_t number = guard_read_number(&at);
  return at == text || *at != '\0' || number > INT_MAX ? -1 : (int)number;
}

static int run_watch(char** arguments) {
  struct guard_watch_options options = {-1, -1, -1};
  for (; arguments[0] != NULL; arguments += 2) {
    if (arguments[1] == NULL) return usage("an option without its value");
    const int fd = descriptor(arguments[1]);
    if (fd < 0) return usage("a descriptor is a number");
    if (strcmp(arguments[0], "--page-fd") == 0) {
      options.page_fd = fd;
    } else if (strcmp(arguments[0], "--agent-fd") == 0) {
      options.agent_fd = fd;
    } else if (strcmp(arguments[0], "--folder-fd") == 0) {
      options.folder_fd = fd;
    } else {
      return usage("unknown option");
    }
  }
  if (options.page_fd < 0) return usage("watch needs --page-fd");
  return guard_watch(&options, now);
}

static int run_launch(char** arguments) {
  if (arguments[0] == NULL || strcmp(arguments[0], "--page-fd") != 0 || arguments[1] == NULL ||
      arguments[2] == NULL || strcmp(arguments[2], "--") != 0 || arguments[3] == NULL) {
    return usage("launch needs --page-fd N -- SERVER ARGS");
  }
  const int fd = descriptor(arguments[1]);
  if (fd < 0) return usage("a descriptor is a number");
  return guard_launch(fd, arguments + 3, now);
}

static bool list_one(void* context, pid_t pid) {
  const struct guard_server* server = context;
  struct guard_process process;
  struct guard_line line = {0};
  if (!guard_read_process(server, pid, &process)) return true;
  guard_put_number(&line, (uint64_t)pid);
  guard_put(&line, " (child of ");
  guard_put_number(&line, (uint64_t)process.parent);
  guard_put(&line, process.fenced ? ", killed, not gone yet)\n" : ")\n");
  say(STDOUT_FILENO, line.text);
  return true;
}

// Kills, and then waits a little for those that are in their exit: they hold shared memory.
static int kill_all(const struct guard_server* server) {
  const struct timespec pause = {0, GUARD_SWEEP_PAUSE};
  const uint64_t began = now();
  uint64_t fenced = 0;  // when nothing could run any more
  struct guard_sweep sweep = {0};
  struct guard_line line = {0};
  for (;;) {
    if (guard_look(server).living > 0) {
      fenced = 0;
      if (now() - began >= SWEEP_LIMIT) break;
      guard_sweep_round(server, &sweep, 0);
    } else {
      if (fenced == 0) fenced = now();
      const bool gone = guard_sweep_release(&sweep) && !guard_any_left(server);
      if (gone || now() - fenced >= EXIT_LIMIT) break;
    }
    nanosleep(&pause, NULL);
  }
  guard_sweep_finish(&sweep);
  guard_put_number(&line, sweep.killed);
  guard_put(&line, " processes killed in ");
  guard_put_duration(&line, (fenced != 0 ? fenced : now()) - began);
  guard_put(&line, fenced != 0 ? "\n" : "; some are left\n");
  say(STDOUT_FILENO, line.text);
  return fenced != 0 ? 0 : EXIT_LEFT;
}

static int run_sweep(char** arguments) {
  const char* directory = NULL;
  const char* name = "postgres";
  bool with_kill = false;
  struct guard_server server;
  for (; *arguments != NULL; ++arguments) {
    if (strcmp(*arguments, "--kill") == 0) {
      with_kill = true;
    } else if (strcmp(*arguments, "--name") == 0 && arguments[1] != NULL) {
      name = *++arguments;
    } else if (**arguments == '-' || directory != NULL) {
      return usage("sweep takes one data directory");
    } else {
      directory = *arguments;
    }
  }
  if (directory == NULL) return usage("sweep needs a data directory");
  if (!guard_open_server(&server, name)) return usage("/proc cannot be read");
  if (!guard_find_directory(directory, &server.device, &server.inode)) {
    return errno == ENOENT ? 0 : usage("the data directory cannot be looked up");
  }
  if (with_kill) return kill_all(&server);
  guard_each_process(&server, list_one, &server);
  return guard_look(&server).living > 0 ? EXIT_LEFT : 0;
}

int main(int count, char** arguments) {
  if (count < 2) return usage("what is to be done?");
  if (strcmp(arguments[1], "watch") == 0) return run_watch(arguments + 2);
  if (strcmp(arguments[1], "launch") == 0) return run_launch(arguments + 2);
  if (strcmp(arguments[1], "sweep") == 0) return run_sweep(arguments + 2);
  if (strcmp(arguments[1], "canary") == 0) {
    // Without an interval: an agent of before there was one, whose programs were replaced.
    const char* interval = arguments[2] != NULL ? arguments[3] : NULL;
    const unsigned long seconds = interval != NULL ? strtoul(interval, NULL, 10) : 2;
    const bool too_many = interval != NULL && arguments[4] != NULL;
    if (arguments[2] == NULL || too_many || seconds == 0 || seconds > UINT_MAX) {
      return usage("canary needs a data directory, and takes an interval in seconds");
    }
    return guard_canary(arguments[2], (unsigned)seconds, now);
  }
  if (strcmp(arguments[1], "--help") == 0) {
    say(STDOUT_FILENO, help);
    return 0;
  }
  if (strcmp(arguments[1], "--version") == 0) {
    say(STDOUT_FILENO, "tanist-guard " TANIST_VERSION "\n");
    return 0;
  }
  return usage("unknown command");
}
