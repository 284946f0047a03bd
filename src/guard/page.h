// SPDX-License-Identifier: Apache-2.0
// The page that agent, guard and launcher share, and the messages between agent and guard. Plain
// data for C11 and C++20: knows no process, no clock and no file (safety 2.2).
//
// The page is a memfd of GUARD_PAGE_BYTES, sealed against resizing, created by the agent. Every
// word is one 64-bit atomic; nothing is ever half written. A change of several words is a
// `guard_change`: a list of stores in an order such that a writer killed between any two of them
// leaves something safe (the reason stands at each function that makes one; page_test.cpp cuts
// every list at every place). Each word has one writer, named below. Readers: any thread of any
// process that mapped the page, without locks.
//
// Layout: words keep their place and meaning for ever. A later version may only give a meaning to
// bytes that were zero, so that guards and agents of different versions can share one page while
// one takes over from the other (safety 2.7). A change that breaks this needs another magic.
//
// Times are nanoseconds of CLOCK_BOOTTIME, 0 = never happened. They mean nothing after a reboot:
// hence boot_id.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_PAGE_BYTES 4096
#define GUARD_PAGE_MAGIC UINT64_C(0x74616e6973742131)  // "tanist!1"
#define GUARD_LAYOUT UINT64_C(1)
#define GUARD_PATH_BYTES 3072  // with the closing zero
#define GUARD_NAME_BYTES 64    // with the closing zero
#define GUARD_NEVER UINT64_MAX

// What the server under the data directory is meant to be.
enum guard_mode {
  GUARD_MODE_NONE = 0,     // nobody promised anything: bootstrap, pause, orderly stop
  GUARD_MODE_STANDBY = 1,  // a standby runs or is being started; nothing to fence
  GUARD_MODE_PRIMARY = 2,  // armed: no process of the server outlives the deadline
};

// What the system allowed the guard (bits of `traits`).
enum guard_trait {
  GUARD_TRAIT_MEMORY_LOCKED = 1,
  GUARD_TRAIT_REAL_TIME = 2,  // SCHED_FIFO
  GUARD_TRAIT_RAISED = 4,     // a better nice value than the default
  GUARD_TRAIT_OOM_SAFE = 8,   // oom_score_adj is -1000
  GUARD_TRAIT_FINDABLE = 16,  // its socket is in place: a restarted agent can find it
};

struct guard_page {
  // ---- written once, before anybody else has the page ----
  uint64_t magic;
  uint64_t layout;
  uint64_t boot_id[2];

  // ---- written by the agent ----
  uint64_t order;             // deadline and mode in one word: guard_order_of()
  uint64_t margin;            // F of safety 2.3 in ns; only ever raised
  uint64_t reign_lease;       // lease id of the reign that the deadline belongs to
  uint64_t reign_revision;    // its create revision; meaningful in mode primary only
  uint64_t postmaster;        // pid and start ticks: guard_process_of(); 0 = not known
  uint64_t directory_inode;   // of the data directory; 0 = not known: the path is looked up
  uint64_t directory_device;  // when needed. The launcher writes these three, too.

  // ---- written by the guard (of two, by the one named in `guard`) ----
  uint64_t guard;       // pid and start ticks
  uint64_t traits;      // bits of enum guard_trait
  uint64_t heartbeat;   // when it last woke
  uint64_t watching;    // until when it sleeps: GUARD_NEVER = nothing to watch; 0 = not yet
  uint64_t latch;       // the order whose expiry made it fire
  uint64_t fired_at;    // the last firing: when it began,
  uint64_t fired_kill;  // how many processes were killed with SIGKILL,
  uint64_t fired_hit;   // ns from the first SIGKILL until each had one pending or was stopped: none
                        // of them runs its program from then on,
  uint64_t fired_took;  // ns from the first SIGKILL until nothing was left; 0 = none was needed
  uint64_t firings;     // how many; stored last

  // ---- written once, before anybody else has the page ----
  char server_name[GUARD_NAME_BYTES];  // base name of the server's executable
  char directory[GUARD_PATH_BYTES];    // absolute path of the data directory
  char unused[GUARD_PAGE_BYTES - 21 * 8 - GUARD_NAME_BYTES - GUARD_PATH_BYTES];
};

static_assert(sizeof(struct guard_page) == GUARD_PAGE_BYTES, "the page has a fixed size");
static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "words must be lock free");

static inline uint64_t guard_load(const uint64_t* word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void guard_store(uint64_t* word, uint64_t value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

// ---- One word, several meanings -----------------------------------------------------------------

// Deadline and mode are one word so that arming, disarming and announcing a standby are one store
// each, and so that the latch needs no clearing: it names the order that expired, and a newer
// order is another one. The deadline loses up to 3 ns (it is rounded down).
static inline uint64_t guard_order_of(uint64_t deadline, enum guard_mode mode) {
  return (deadline & ~UINT64_C(3)) | (uint64_t)mode;
}
static inline uint64_t guard_deadline_of(uint64_t order) { return order & ~UINT64_C(3); }
static inline enum guard_mode guard_mode_of(uint64_t order) {
  return (enum guard_mode)(order & UINT64_C(3));
}

// A process in one word: pid (22 bits, the kernel's limit) and start time in clock ticks since
// boot (42 bits: 1,300 years at 100 Hz). 0 = none.
static inline uint64_t guard_process_of(uint64_t pid, uint64_t start_ticks) {
  return (start_ticks << 22) | (pid & UINT64_C(0x3fffff));
}
static inline uint64_t guard_pid_of(uint64_t process) { return process & UINT64_C(0x3fffff); }
static inline uint64_t guard_start_ticks_of(uint64_t process) { return process >> 22; }

// ---- Changes ------------------------------------------------------------------------------------

#define GUARD_STORES_MAX 5

struct guard_change {
  unsigned count;
  struct {
    uint64_t* word;
    uint64_t value;
  } store[GUARD_STORES_MAX];
};

static inline void guard_then(struct guard_change* change, uint64_t* word, uint64_t value) {
  assert(change->count < GUARD_STORES_MAX);
  change->store[change->count].word = word;
  change->store[change->count].value = value;
  ++change->count;
}

static inline void guard_apply(const struct guard_change* change) {
  for (unsigned i = 0; i < change->count; ++i) {
    guard_store(change->store[i].word, change->store[i].value);
  }
}

// Arms until `deadline`, or moves the deadline of the reign already armed. Within one reign it
// only moves forward (an answer that arrives late changes nothing: no stores). Another reign sets
// it as given, also to an earlier time (a new lease with a shorter ttl).
//
// Order of stores: the earlier of both deadlines is in force while the reign's words change. So a
// later deadline is stored last and an earlier one first; a writer killed in between leaves a
// deadline that is too early, never one too late. Lease and revision of two reigns mixed prove
// nothing to an adopter: its transaction compares both (safety 2.7) and finds the lock lost.
static inline struct guard_change guard_arm(struct guard_page* page, uint64_t lease,
                                            uint64_t revision, uint64_t deadline) {
  struct guard_change change;
  change.count = 0;
  const uint64_t old = guard_load(&page->order);
  const uint64_t order = guard_order_of(deadline, GUARD_MODE_PRIMARY);
  const bool armed = guard_mode_of(old) == GUARD_MODE_PRIMARY;
  const bool same_reign =
      guard_load(&page->reign_lease) == lease && guard_load(&page->reign_revision) == revision;
  if (armed && same_reign && order <= old) return change;
  const bool earlier = armed && order < old;
  if (earlier) guard_then(&change, &page->order, order);
  if (!same_reign) {
    guard_then(&change, &page->reign_lease, lease);
    guard_then(&change, &page->reign_revision, revision);
  }
  if (!earlier) guard_then(&change, &page->order, order);
  return change;
}

// Changes the mode to one that is not armed. The deadline stays in the word, so that this order
// differs from every other. One store.
static inline void guard_set_mode(struct guard_page* page, enum guard_mode mode) {
  assert(mode != GUARD_MODE_PRIMARY);
  guard_store(&page->order, guard_order_of(guard_deadline_of(guard_load(&page->order)), mode));
}

// Raises F; a smaller one is ignored. One store. Raise it before arming for a longer ttl: who
// reads the new deadline then reads the new margin too.
static inline void guard_raise_margin(struct guard_page* page, uint64_t margin) {
  if (margin > guard_load(&page->margin)) guard_store(&page->margin, margin);
}

// Names the directory that the server runs in (it may have been created anew since the last
// start). Order of stores: the inode is taken back first and given last; in between it is not
// known and readers look up the path, which is right for whatever exists now.
static inline struct guard_change guard_name_directory(struct guard_page* page, uint64_t device,
                                                       uint64_t inode) {
  struct guard_change change;
  change.count = 0;
  if (guard_load(&page->directory_device) == device && guard_load(&page->directory_inode) == inode)
    return change;
  guard_then(&change, &page->directory_inode, 0);
  guard_then(&change, &page->directory_device, device);
  guard_then(&change, &page->directory_inode, inode);
  return change;
}

// Records a finished firing. For people only: no rule reads these words. The count is stored
// last, so that a reader who sees it move sees the rest.
static inline struct guard_change guard_record_firing(struct guard_page* page, uint64_t began,
                                                      uint64_t killed, uint64_t hit,
                                                      uint64_t took) {
  struct guard_change change;
  change.count = 0;
  guard_then(&change, &page->fired_at, began);
  guard_then(&change, &page->fired_kill, killed);
  guard_then(&change, &page->fired_hit, hit);
  guard_then(&change, &page->fired_took, took);
  guard_then(&change, &page->firings, guard_load(&page->firings) + 1);
  return change;
}

// ---- Messages -----------------------------------------------------------------------------------

// One SOCK_SEQPACKET datagram each, both ways, always of this size. A guard ignores kinds that it
// does not know; a datagram of another size ends the connection.
enum guard_message_kind {
  // agent to guard
  GUARD_HELLO = 1,  // who are you? Answer: welcome, with the page's memfd attached
  GUARD_LOOK = 2,   // the page changed: read it now. Answer: looked
  GUARD_LEAVE = 3,  // end, whatever the page says. Answer: looked, then the guard is gone
  GUARD_WATCHDOG =
      4,  // with a descriptor: hold this duplicate of the watchdog device (safety 2.8);
          // without one: close it. Answer: looked
  // guard to agent
  GUARD_WELCOME = 101,
  GUARD_LOOKED = 102,
};

struct guard_message {
  uint64_t kind;
  uint64_t watching;  // from the guard: as in the page
  uint64_t order;     // from the guard: the order that it last acted on
  char version[40];   // of the program that sends it, closed by a zero
};

// The name of the guard's socket in its folder: "guard-" and a hash of the data directory's path.
struct guard_socket_name {
  char text[24];
};

static inline struct guard_socket_name guard_socket_name_of(const char* directory) {
  struct guard_socket_name name = {"guard-"};
  uint64_t hash = UINT64_C(14695981039346656037);  // FNV-1a
  for (const char* at = directory; *at != '\0'; ++at) {
    hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
  }
  for (unsigned i = 0; i < 16; ++i) {
    name.text[6 + i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
  }
  return name;
}

// ---- Exit codes of `tanist-guard launch` when it does not become the server
// ----------------------

#define GUARD_EXIT_EXPIRED 90     // past the deadline (less the margin): the start must not happen
#define GUARD_EXIT_NO_STANDBY 91  // announced as a standby, but standby.signal is missing
#define GUARD_EXIT_NO_PAGE 92     // the page cannot be used: whether a start is safe is not known
#define GUARD_EXIT_NO_SERVER 93   // data directory or executable cannot be used

#ifdef __cplusplus
}
#endif
