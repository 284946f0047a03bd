// SPDX-License-Identifier: Apache-2.0
// The guard's conversation with agents: a SOCK_SEQPACKET socket that a restarted agent finds by
// name, and the connections on it. Allocates nothing, never waits. One thread.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "guard/page.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_PEERS_MAX 8

struct guard_peer {
  int fd;           // -1 = free
  uint64_t answer;  // kind of the answer that it waits for; 0 = none
};

struct guard_peers {
  int page;      // the memfd that is handed out
  int folder;    // where the socket's name is
  int listener;  // -1 = not findable
  uint64_t socket_inode;
  struct guard_socket_name name;
  struct guard_peer peer[GUARD_PEERS_MAX];
  int watchdog;  // duplicate of the watchdog device; -1 = none
  bool leave;    // an agent told it to end
};

// Puts the socket in place of an earlier guard's (atomically: the name never vanishes) and takes
// `agent`, an already connected socket, as the first peer. Without a usable folder the guard works
// but cannot be found: then the listener is -1.
void guard_peers_open(struct guard_peers* peers, const struct guard_page* page, int page_fd,
                      int folder_fd, int agent);

bool guard_peers_connected(const struct guard_peers* peers);

// Descriptors to wait for: at most 1 + GUARD_PEERS_MAX. Returns how many were filled in.
unsigned guard_peers_wait_for(const struct guard_peers* peers, struct pollfd* into);
// Accepts and reads whatever has come. Only peers of the same user are accepted.
void guard_peers_receive(struct guard_peers* peers);
// Answers each peer that waits for an answer; one that cannot take it at once is dropped.
void guard_peers_answer(struct guard_peers* peers, uint64_t order, uint64_t watching);

// Lets the watchdog device rest: the magic character, then the duplicate is closed (safety 2.8).
void guard_peers_release_watchdog(struct guard_peers* peers);

// Removes the socket's name, if it is still this guard's.
void guard_peers_close(struct guard_peers* peers);

#ifdef __cplusplus
}
#endif
