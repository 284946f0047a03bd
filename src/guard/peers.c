// SPDX-License-Identifier: Apache-2.0
// Non-blocking sockets throughout. What a peer sends wrongly costs it its connection.
#define _GNU_SOURCE
#include "guard/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "guard/line.h"

#define DESCRIPTORS_MAX 4  // that one message may carry; all but the first are closed

// "/proc/self/fd/FOLDER/NAME": short enough for a socket address wherever the folder is.
static struct sockaddr_un address_of(int folder, const char* name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct guard_line line = {0};
  guard_put(&line, "/proc/self/fd/");
  guard_put_number(&line, (uint64_t)folder);
  guard_put(&line, "/");
  guard_put(&line, name);
  memcpy(address.sun_path, line.text, line.length + 1);
  return address;
}

// Under a name of its own first, then renamed over the public one.
static int listen_in(struct guard_peers* peers) {
  struct stat found;
  struct guard_line own = {0};
  guard_put(&own, peers->name.text);
  guard_put(&own, ".");
  guard_put_number(&own, (uint64_t)getpid());
  const struct sockaddr_un address = address_of(peers->folder, own.text);
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  unlinkat(peers->folder, own.text, 0);
  if (bind(fd, (const struct sockaddr*)&address, sizeof address) != 0) {
    close(fd);
    return -1;
  }
  if (listen(fd, GUARD_PEERS_MAX) != 0 ||
      fstatat(peers->folder, own.text, &found, AT_SYMLINK_NOFOLLOW) != 0 ||
      renameat(peers->folder, own.text, peers->folder, peers->name.text) != 0) {
    unlinkat(peers->folder, own.text, 0);
    close(fd);
    return -1;
  }
  peers->socket_inode = found.st_ino;
  return fd;
}

void guard_peers_open(struct guard_peers* peers, const struct guard_page* page, int page_fd,
                      int folder_fd, int agent) {
  memset(peers, 0, sizeof *peers);
  peers->page = page_fd;
  peers->folder = folder_fd;
  peers->watchdog = -1;
  peers->name = guard_socket_name_of(page->directory);
  for (unsigned i = 0; i < GUARD_PEERS_MAX; ++i) peers->peer[i].fd = -1;
  peers->peer[0].fd = agent;
  if (agent >= 0) {
    fcntl(agent, F_SETFL, O_NONBLOCK);
    peers->peer[0].answer = GUARD_WELCOME;
  }
  peers->listener = folder_fd >= 0 ? listen_in(peers) : -1;
}

bool guard_peers_connected(const struct guard_peers* peers) {
  for (unsigned i = 0; i < GUARD_PEERS_MAX; ++i) {
    if (peers->peer[i].fd >= 0) return true;
  }
  return false;
}

unsigned guard_peers_wait_for(const struct guard_peers* peers, struct pollfd* into) {
  unsigned count = 0;
  if (peers->listener >= 0) into[count++] = (struct pollfd){peers->listener, POLLIN, 0};
  for (unsigned i = 0; i < GUARD_PEERS_MAX; ++i) {
    if (peers->peer[i].fd >= 0) into[count++] = (struct pollfd){peers->peer[i].fd, POLLIN, 0};
  }
  return count;
}

static void drop(struct guard_peer* peer) {
  close(peer->fd);
  peer->fd = -1;
  peer->answer = 0;
}

static void hold_watchdog(struct guard_peers* peers, int device) {
  if (peers->watchdog >= 0) close(peers->watchdog);
  peers->watchdog = device;
}

// Takes the descriptors out of a message; keeps the first, closes the others.
static int first_descriptor(struct msghdr* header) {
  int first = -1;
  for (struct cmsghdr* at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
      if (first < 0) {
        first = fd;
      } else {
        close(fd);
      }
    }
  }
  return first;
}

static void obey(struct guard_peers* peers, struct guard_peer* peer, uint64_t kind, int device) {
  switch (kind) {
    case GUARD_HELLO: peer->answer = GUARD_WELCOME; break;
    case GUARD_LOOK: peer->answer = GUARD_LOOKED; break;
    case GUARD_LEAVE:
      peer->answer = GUARD_LOOKED;
      peers->leave = true;
      break;
    case GUARD_WATCHDOG:
      peer->answer = GUARD_LOOKED;
      hold_watchdog(peers, device);
      return;
    default: break;  // of a later version
  }
  if (device >= 0) close(device);
}

// False when nothing has come, or the peer was dropped.
static bool receive_one(struct guard_peers* peers, struct guard_peer* peer) {
  struct guard_message message;
  union {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
  } control;
  struct iovec part = {&message, sizeof message};
  struct msghdr header = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  const ssize_t got = recvmsg(peer->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  const int device = got < 0 ? -1 : first_descriptor(&header);
  if (got != (ssize_t)sizeof message || (header.msg_flags & MSG_TRUNC) != 0) {
    if (device >= 0) close(device);
    drop(peer);
    return false;
  }
  obey(peers, peer, message.kind, device);
  return true;
}

static bool same_user(int fd) {
  struct ucred who;
  socklen_t size = sizeof who;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == geteuid();
}

static void accept_one(struct guard_peers* peers, int fd) {
  for (unsigned i = 0; i < GUARD_PEERS_MAX; ++i) {
    if (peers->peer[i].fd < 0 && same_user(fd)) {
      peers->peer[i].fd = fd;
      return;
    }
  }
  close(fd);
}

void guard_peers_receive(struct guard_peers* peers) {
  if (peers->listener >= 0) {
    const int fd = accept4(peers->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) accept_one(peers, fd);
  }
  for (unsigned i = 0; i < GUARD_PEERS_MAX; ++i) {
    struct guard_peer* peer = &peers->peer[i];
    if (peer->fd >= 0) receive_one(peers, peer);
  }
}

static bool answer_one(const struct guard_peers* peers, const struct guard_peer* peer,
                       const struct guard_message* message) {
  union {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {(void*)message, sizeof *message};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  if (message->kind == GUARD_WELCOME) {
    memset(&control, 0, sizeof control);
    header.msg_control = &control;
    header.msg_controllen = sizeof control;
    struct cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &peers->page, sizeof(int));
  }
  return sendmsg(peer->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof *message;
}

void guard_peers_answer(struct guard_peers* peers, uint64_t order, uint64_t watching) {
  struct guard_message message = {.watching = watching, .order = order, .version = TANIST_VERSION};
  for (unsigned i = 0; i < GUARD_PEERS_MAX; ++i) {
    struct guard_peer* peer = &peers->peer[i];
    if (peer->fd < 0 || peer->answer == 0) continue;
    message.kind = peer->answer;
    peer->answer = 0;
    if (!answer_one(peers, peer, &message)) drop(peer);
  }
}

void guard_peers_release_watchdog(struct guard_peers* peers) {
  if (peers->watchdog < 0) return;
  // A frozen agent has the device open, too: closing our duplicate would not stop it.
  int option = WDIOS_DISABLECARD;
  ioctl(peers->watchdog, WDIOC_SETOPTIONS, &option);
  if (write(peers->watchdog, "V", 1) != 1)
    return;  // still held: the next settled sweep tries again
  hold_watchdog(peers, -1);
}

void guard_peers_close(struct guard_peers* peers) {
  struct stat found;
  if (peers->listener < 0) return;
  if (fstatat(peers->folder, peers->name.text, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
      found.st_ino == peers->socket_inode) {
    unlinkat(peers->folder, peers->name.text, 0);
  }
  close(peers->listener);
  peers->listener = -1;
}
