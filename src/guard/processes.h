// SPDX-License-Identifier: Apache-2.0
// Finds the processes of one PostgreSQL server in /proc: those of the same user whose working
// directory is the data directory and whose executable is the server's (safety 2.5). Parentage
// says nothing: orphans of a dead postmaster belong to init, and each has a session of its own.
// Allocates nothing and never touches the data directory's disk: it may hang when it matters.
// One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard/page.h"

#ifdef __cplusplus
extern "C" {
#endif

// Whose processes are looked for.
struct guard_server {
  int proc;                     // descriptor of /proc
  uid_t uid;                    // the user
  uint64_t device;              // as guard_device_of()
  uint64_t inode;               // of the data directory
  char name[GUARD_NAME_BYTES];  // base name of the executable; postgres and postmaster always count
};

struct guard_process {
  pid_t pid;
  pid_t parent;          // 0 = could not be read
  uint64_t start_ticks;  // clock ticks since boot; 0 = could not be read
  bool dying;            // SIGKILL is pending, or it is in its exit already
  bool struck;           // a fatal signal was taken: no longer pending, and no exit yet (or a core
                         // dump, which only SIGKILL ends)
  bool fenced;           // in its exit, or dying in uninterruptible sleep: will not run again
};

// `server` with the descriptor of /proc and the calling process's user. False: /proc is unusable.
bool guard_open_server(struct guard_server* server, const char* name);

// Looks up the directory and stores what identifies it. False, with errno, when there is none.
// Waits for no remote file system: cached attributes will do.
bool guard_find_directory(const char* path, uint64_t* device, uint64_t* inode);

// Is it one of the server's? The calling process itself never is. A child that is about to become
// postgres counts as one (`tanist-guard launch`).
bool guard_is_of_server(const struct guard_server* server, pid_t pid);
// Does it run the server's executable, wherever its working directory is? Also true of a process
// in the midst of its exit, which has none any more: until it has let go of the server's shared
// memory and files, it is not gone.
bool guard_runs_server(const struct guard_server* server, pid_t pid);

// Reads state, parent and start of a process. False when it is gone or a zombie. What cannot be
// read for lack of descriptors is reported as running.
bool guard_read_process(const struct guard_server* server, pid_t pid, struct guard_process* into);

// Calls `visit` for each process of the server until it returns false. A process that starts or
// forks meanwhile may be missed: look again. False: /proc could not be read to its end.
typedef bool guard_visit(void* context, pid_t pid);
bool guard_each_process(const struct guard_server* server, guard_visit* visit, void* context);

// The same for each child of `parent`, the dead ones that it has not waited for among them. False:
// unknown (a kernel without /proc/PID/task/PID/children).
bool guard_each_child(const struct guard_server* server, pid_t parent, guard_visit* visit,
                      void* context);

#ifdef __cplusplus
}
#endif
