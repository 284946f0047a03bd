// SPDX-License-Identifier: Apache-2.0
// The storage canary: one process for each folder, so that one which hangs hides no other.
#define _GNU_SOURCE
#include "guard/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "guard/line.h"

#define FILE_NAME "pgsql_tmp_canary"
#define BLOCK_BYTES 8192
#define SEGMENT_BYTES (16 * 1024 * 1024)

struct place {
  const char* name;  // data or wal
  char folder[PATH_MAX];
  char control[PATH_MAX];  // global/pg_control: only where it is there is anything to be watched
  int file;                // -1: not open
  bool told_idle;
};

static volatile sig_atomic_t ended;

static void end(int signal) {
  (void)signal;
  ended = 1;
}

static bool tell(const struct place* place, const char* word, uint64_t number, bool with_number) {
  struct guard_line line = {0};
  guard_put(&line, place->name);
  guard_put(&line, word);
  if (with_number) guard_put_number(&line, number);
  guard_put(&line, "\n");
  return write(STDERR_FILENO, line.text, line.length) == (ssize_t)line.length;
}

static void forget(struct place* place) {
  if (place->file >= 0) close(place->file);
  place->file = -1;
}

// False when there is nothing to be watched. A file that somebody removed is not written to.
static bool is_due(struct place* place, bool only_elsewhere) {
  struct stat control;
  struct stat folder;
  struct stat file;
  if (stat(place->control, &control) != 0 || stat(place->folder, &folder) != 0) return false;
  if (only_elsewhere && folder.st_dev == control.st_dev) return false;
  if (place->file >= 0 && fstat(place->file, &file) == 0 && file.st_nlink == 0) forget(place);
  return true;
}

static bool is_full(int file) {
  struct statvfs space;
  return fstatvfs(file, &space) == 0 && (uint64_t)space.f_bavail * space.f_frsize < SEGMENT_BYTES;
}

// 0 or errno. The old block is given up first, so that the new one has to be found.
static int write_block(struct place* place) {
  static const char block[BLOCK_BYTES];
  if (place->file < 0) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/" FILE_NAME, place->folder) >= (int)sizeof path) {
      return ENAMETOOLONG;
    }
    place->file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (place->file < 0) return errno;
  }
  if (ftruncate(place->file, 0) != 0) return errno;
  const ssize_t written = pwrite(place->file, block, sizeof block, 0);
  if (written < 0) return errno;
  if (written != (ssize_t)sizeof block) return ENOSPC;
  return fsync(place->file) == 0 ? 0 : errno;
}

// A folder of the WAL that needs no canary is told of once: each line wakes the reader.
static bool be_idle(struct place* place, bool only_elsewhere) {
  const bool known = only_elsewhere && place->told_idle;
  forget(place);
  place->told_idle = true;
  return known || tell(place, " idle", 0, false);
}

static bool look_once(struct place* place, bool only_elsewhere, uint64_t (*now)(void)) {
  if (!is_due(place, only_elsewhere)) return be_idle(place, only_elsewhere);
  place->told_idle = false;
  const uint64_t began = now();
  const int error = write_block(place);
  const uint64_t microseconds = (now() - began) / 1000;
  if (error == ENOSPC || error == EDQUOT || (error == 0 && is_full(place->file))) {
    return tell(place, " full", 0, false);
  }
  if (error != 0) {
    forget(place);
    return tell(place, " error ", (uint64_t)error, true);
  }
  return tell(place, " ", microseconds, true);
}

static void remove_file(struct place* place) {
  char path[PATH_MAX];
  if (place->file < 0) return;
  if (snprintf(path, sizeof path, "%s/" FILE_NAME, place->folder) < (int)sizeof path) unlink(path);
  forget(place);
}

static int watch_folder(struct place* place, bool only_elsewhere, unsigned interval_seconds,
                        uint64_t (*now)(void)) {
  const struct timespec interval = {(time_t)interval_seconds, 0};
  while (!ended && look_once(place, only_elsewhere, now)) nanosleep(&interval, NULL);
  remove_file(place);
  return 0;
}

static bool set_place(struct place* place, const char* data, const char* folder) {
  place->file = -1;
  return snprintf(place->folder, sizeof place->folder, "%s/%s", data, folder) <
             (int)sizeof place->folder &&
         snprintf(place->control, sizeof place->control, "%s/global/pg_control", data) <
             (int)sizeof place->control;
}

int guard_canary(const char* data_directory, unsigned interval_seconds, uint64_t (*now)(void)) {
  static struct place data = {.name = "data"};
  static struct place wal = {.name = "wal"};
  const struct sigaction on_end = {.sa_handler = end};
  if (!set_place(&data, data_directory, "global") || !set_place(&wal, data_directory, "pg_wal")) {
    return 2;
  }
  sigaction(SIGTERM, &on_end, NULL);
  signal(SIGPIPE, SIG_IGN);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child > 0) return watch_folder(&data, false, interval_seconds, now);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) return 0;
  return watch_folder(&wal, true, interval_seconds, now);
}
