// SPDX-License-Identifier: Apache-2.0
// /proc by plain system calls: statx and readlinkat for the question whose a process is (they need
// no descriptor, so a full file table does not blind the guard), one small read for its state.
#define _GNU_SOURCE
#include "guard/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guard/line.h"

#define LAUNCHER_NAME "tanist-guard"
// Of the kernel's flags (PF_EXITING, PF_SIGNALED).
#define EXITING 4U  // it has left its program for good
#define SIGNALED 0x400U

// Name of a process's file below /proc.
struct proc_name {
  char text[64];
};

static struct proc_name name_in_proc(pid_t pid, const char* file) {
  struct guard_line line;
  struct proc_name name;
  line.length = 0;
  guard_put_number(&line, (uint64_t)pid);
  guard_put(&line, file);
  memcpy(name.text, line.text, line.length + 1);
  return name;
}

bool guard_open_server(struct guard_server* server, const char* name) {
  memset(server, 0, sizeof *server);
  server->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  server->uid = geteuid();
  strncpy(server->name, name, sizeof server->name - 1);
  return server->proc >= 0;
}

static bool find(int folder, const char* path, struct statx* found) {
  return statx(folder, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO | STATX_UID, found) ==
         0;
}

static uint64_t device_of(const struct statx* found) {
  return makedev(found->stx_dev_major, found->stx_dev_minor);
}

bool guard_find_directory(const char* path, uint64_t* device, uint64_t* inode) {
  struct statx found;
  if (!find(AT_FDCWD, path, &found)) return false;
  *device = device_of(&found);
  *inode = found.stx_ino;
  return true;
}

static bool is_name(const char* base, size_t length, const char* name) {
  return strlen(name) == length && memcmp(base, name, length) == 0;
}

bool guard_runs_server(const struct guard_server* server, pid_t pid) {
  static const char deleted[] = " (deleted)";  // the package was upgraded under a running server
  const size_t tail = sizeof deleted - 1;
  char target[4096];
  const ssize_t got =
      readlinkat(server->proc, name_in_proc(pid, "/exe").text, target, sizeof target);
  if (got <= 0) return got < 0 && errno == ENOENT;
  size_t length = (size_t)got;
  if (length > tail && memcmp(target + length - tail, deleted, tail) == 0) length -= tail;
  size_t start = length;
  while (start > 0 && target[start - 1] != '/') --start;
  const char* base = target + start;
  length -= start;
  return is_name(base, length, server->name) || is_name(base, length, "postgres") ||
         is_name(base, length, "postmaster") || is_name(base, length, LAUNCHER_NAME);
}

bool guard_is_of_server(const struct guard_server* server, pid_t pid) {
  struct statx found;
  if (!find(server->proc, name_in_proc(pid, "/cwd").text, &found)) return false;
  if (found.stx_ino != server->inode || device_of(&found) != server->device) return false;
  if (pid == getpid() || !guard_runs_server(server, pid)) return false;
  return find(server->proc, name_in_proc(pid, "").text, &found) && found.stx_uid == server->uid;
}

// Reads a file of at most `size` - 1 bytes and closes it with a zero. -1 when it cannot be opened.
static ssize_t read_small(int folder, const char* path, char* into, size_t size) {
  const int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  const ssize_t got = read(file, into, size - 1);
  close(file);
  into[got > 0 ? got : 0] = '\0';
  return got > 0 ? got : 0;
}

// Goes forward over `count` blank-separated fields.
static const char* skip_fields(const char* at, unsigned count) {
  while (count > 0 && *at != '\0') {
    if (*at++ == ' ') --count;
  }
  return at;
}

bool guard_read_process(const struct guard_server* server, pid_t pid, struct guard_process* into) {
  char text[1024];
  memset(into, 0, sizeof *into);
  into->pid = pid;
  const ssize_t got = read_small(server->proc, name_in_proc(pid, "/stat").text, text, sizeof text);
  if (got < 0) return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  const char* at = strrchr(text, ')');  // the name before it may hold anything
  if (at == NULL || at[1] != ' ') return false;
  at += 2;  // field 3 of proc(5): state
  const char state = *at;
  if (state == 'Z' || state == 'X' || state == 'x') return false;
  at = skip_fields(at, 1);  // field 4
  into->parent = (pid_t)guard_read_number(&at);
  at = skip_fields(at, 5);  // field 9: flags
  const uint64_t flags = guard_read_number(&at);
  const bool exiting = (flags & EXITING) != 0;
  into->struck = (flags & SIGNALED) != 0;
  at = skip_fields(at, 13);  // field 22
  into->start_ticks = guard_read_number(&at);
  at = skip_fields(at, 9);  // field 31: pending signals
  into->dying = exiting || (guard_read_number(&at) >> (SIGKILL - 1) & 1) != 0;
  into->fenced = exiting || (into->dying && state == 'D');
  return true;
}

struct entry {  // of getdents64(2)
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

// False when the visitor wants no more.
static bool visit_entry(const struct guard_server* server, const char* name, guard_visit* visit,
                        void* context) {
  const char* at = name;
  const pid_t pid = (pid_t)guard_read_number(&at);
  if (at == name || *at != '\0' || !guard_is_of_server(server, pid)) return true;
  return visit(context, pid);
}

bool guard_each_process(const struct guard_server* server, guard_visit* visit, void* context) {
  static _Alignas(8) char buffer[32768];
  if (lseek(server->proc, 0, SEEK_SET) != 0) return false;
  for (;;) {
    const long got = syscall(SYS_getdents64, server->proc, buffer, sizeof buffer);
    if (got <= 0) return got == 0;
    for (long at = 0; at < got;) {
      const struct entry* entry = (const struct entry*)(const void*)(buffer + at);
      if (!visit_entry(server, entry->name, visit, context)) return true;
      at += entry->length;
    }
  }
}

bool guard_each_child(const struct guard_server* server, pid_t parent, guard_visit* visit,
                      void* context) {
  static char text[65536];
  struct guard_line name = {0};
  guard_put_number(&name, (uint64_t)parent);
  guard_put(&name, "/task/");
  guard_put_number(&name, (uint64_t)parent);
  guard_put(&name, "/children");
  if (read_small(server->proc, name.text, text, sizeof text) < 0) return false;
  for (const char* at = text; *at >= '0' && *at <= '9';) {
    const pid_t pid = (pid_t)guard_read_number(&at);
    if (*at != ' ') break;  // cut off by the buffer's end
    ++at;
    if (!visit(context, pid)) break;
  }
  return true;
}
