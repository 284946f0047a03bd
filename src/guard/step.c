// SPDX-License-Identifier: Apache-2.0
// The guard's rule as one function of values.
#include "guard/step.h"

static uint64_t before(uint64_t deadline, uint64_t span) {
  return deadline > span ? deadline - span : 0;
}

static bool armed(struct guard_view view) {
  return guard_mode_of(view.order) == GUARD_MODE_PRIMARY;
}

uint64_t guard_quit_at(struct guard_view view) {
  return armed(view) ? before(guard_deadline_of(view.order), view.margin) : GUARD_NEVER;
}

uint64_t guard_kill_at(struct guard_view view) {
  return armed(view) ? before(guard_deadline_of(view.order), view.margin / 2) : GUARD_NEVER;
}

bool guard_expired(struct guard_view view, uint64_t now) { return now >= guard_quit_at(view); }

// Not armed, or armed and the time has not come.
static struct guard_verdict stand_by(struct guard_view view, struct guard_memory memory) {
  struct guard_verdict verdict = {GUARD_ACT_REST, false, guard_quit_at(view), memory};
  if (memory.sweeping) verdict.act = GUARD_ACT_FINISH;
  verdict.memory.sweeping = false;
  return verdict;
}

// Between D - F and D - F/2: the server gets its chance to stop by itself, once.
static struct guard_verdict ask(struct guard_view view, struct guard_processes processes,
                                struct guard_memory memory) {
  struct guard_verdict verdict = {GUARD_ACT_REST, false, guard_kill_at(view), memory};
  if (memory.fired == view.order) return verdict;
  verdict.fire = true;
  verdict.memory.fired = view.order;
  if (processes.living > 0) verdict.act = GUARD_ACT_QUIT;
  return verdict;
}

// From D - F/2 on: whatever lives is killed, and whatever appears later too.
static struct guard_verdict sweep(struct guard_view view, uint64_t now,
                                  struct guard_processes processes, struct guard_memory memory) {
  const bool left = processes.living > 0;
  struct guard_verdict verdict = {left ? GUARD_ACT_SWEEP : GUARD_ACT_REST,
                                  memory.fired != view.order,
                                  now + (left ? GUARD_SWEEP_PAUSE : GUARD_LATCH_PAUSE), memory};
  verdict.memory.fired = view.order;
  verdict.memory.sweeping = left;
  return verdict;
}

struct guard_verdict guard_step(struct guard_view view, uint64_t now,
                                struct guard_processes processes, struct guard_memory memory) {
  if (!guard_expired(view, now)) return stand_by(view, memory);
  if (now < guard_kill_at(view)) return ask(view, processes, memory);
  return sweep(view, now, processes, memory);
}

int guard_start_refused(struct guard_view view, uint64_t now, bool standby, bool single_user) {
  if (guard_expired(view, now)) return GUARD_EXIT_EXPIRED;
  const bool as_primary = !standby && !single_user;
  const bool announced_standby = guard_mode_of(view.order) == GUARD_MODE_STANDBY;
  return as_primary && announced_standby ? GUARD_EXIT_NO_STANDBY : 0;
}
