// SPDX-License-Identifier: Apache-2.0
// Whatever may wait for a disk comes first; then the clock and the page are read, then execve.
#define _GNU_SOURCE
#include "guard/launch.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guard/line.h"
#include "guard/privileges.h"
#include "guard/processes.h"
#include "guard/step.h"

static int refuse(int code, const char* why, const char* what) {
  struct guard_line line = {0};
  guard_put(&line, "tanist-guard: server not started: ");
  guard_put(&line, why);
  guard_put(&line, what);
  guard_put(&line, "\n");
  const ssize_t written = write(STDERR_FILENO, line.text, line.length);
  (void)written;
  return code;
}

static bool enter(struct guard_page* page) {
  uint64_t device;
  uint64_t inode;
  if (chdir(page->directory) != 0 || !guard_find_directory(".", &device, &inode)) return false;
  const struct guard_change change = guard_name_directory(page, device, inode);
  guard_apply(&change);
  return true;
}

// This process is the postmaster from now on: execve changes neither pid nor start time. When the
// start is refused the word names a dead process, which whoever reads it finds out.
static void become_postmaster(struct guard_page* page) {
  struct guard_server server;
  struct guard_process self;
  if (!guard_open_server(&server, page->server_name)) return;
  if (guard_read_process(&server, getpid(), &self)) {
    guard_store(&page->postmaster, guard_process_of((uint64_t)self.pid, self.start_ticks));
  }
  close(server.proc);
}

int guard_launch(int page_fd, char* const* arguments, guard_clock* now) {
  struct guard_page* page = guard_map_page(page_fd);
  if (page == NULL) return refuse(GUARD_EXIT_NO_PAGE, "the guard's page cannot be used", "");
  if (fcntl(page_fd, F_SETFD, FD_CLOEXEC) != 0) {
    return refuse(GUARD_EXIT_NO_PAGE, "the guard's page cannot be closed", "");
  }
  if (!enter(page)) {
    return refuse(GUARD_EXIT_NO_SERVER, "cannot enter data directory ", page->directory);
  }
  become_postmaster(page);
  guard_drop_oom_protection();
  const bool single_user = arguments[1] != NULL && strcmp(arguments[1], "--single") == 0;
  const bool standby = access("standby.signal", F_OK) == 0;
  const int refused = guard_start_refused(guard_view_of(page), now(), standby, single_user);
  if (refused == 0) execv(arguments[0], arguments);
  switch (refused) {
    case GUARD_EXIT_EXPIRED:
      return refuse(refused, "the deadline of the leader lock has passed", "");
    case GUARD_EXIT_NO_STANDBY:
      return refuse(refused, "it is to be a standby, but standby.signal is missing in ",
                    page->directory);
    default: return refuse(GUARD_EXIT_NO_SERVER, "cannot execute ", arguments[0]);
  }
}
