/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that takes its time, for whoever is started with this library in LD_PRELOAD: each fsync
 * and fdatasync takes as many milliseconds more as the file says that SLOW_DISK names. Not for
 * programs that make their system calls themselves: etcd, our guard. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void take_time(void) {
  const int before = errno;
  const char* path = getenv("SLOW_DISK");
  const int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file >= 0) {
    char text[16] = "";
    if (read(file, text, sizeof text - 1) > 0) {
      const long milliseconds = strtol(text, NULL, 10);
      const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
      if (milliseconds > 0) nanosleep(&pause, NULL);
    }
    close(file);
  }
  errno = before;
}

int fsync(int file) {
  take_time();
  return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  take_time();
  return (int)syscall(SYS_fdatasync, file);
}
