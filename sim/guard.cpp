// SPDX-License-Identifier: Apache-2.0
// The guard's process and the agent's link to it.
#include "sim/guard.h"

namespace tanist::sim {

namespace {

using std::chrono::microseconds;

// A guard later than this does not count as watching.
constexpr Duration lateness_max = milliseconds(200);

Instant instant_of(std::uint64_t nanoseconds) {
  return Instant(Duration(static_cast<std::int64_t>(nanoseconds)));
}

std::uint64_t word_of(Instant instant) {
  return static_cast<std::uint64_t>(instant.time_since_epoch().count());
}

}  // namespace

Guard::Guard(World& world, const MachineClock& clock, Server& server)
    : world_(world),
      clock_(clock),
      server_(server),
      chance_(world.chance().fork()),
      process_(world) {}

std::uint64_t Guard::now() const { return word_of(clock_.now()); }

// ---- The agent's side ------------------------------------------------------------------------

bool Guard::open() {
  dismissed_ = false;
  if (process_.runs()) return true;
  if (process_.alive()) process_.end();  // it does not answer
  page_ = guard_page{};
  page_.magic = GUARD_PAGE_MAGIC;
  guard_raise_margin(&page_, word_of(Instant(milliseconds(500))));
  begin();
  return false;
}

void Guard::begin() {
  process_.start();
  memory_ = guard_memory{};
  guard_store(&page_.watching, 0);
  look(true);
}

void Guard::arm(const Reign& reign, Instant deadline) {
  const auto change =
      guard_arm(&page_, static_cast<std::uint64_t>(reign.lease.value()),
                static_cast<std::uint64_t>(reign.create_revision.value()), word_of(deadline));
  guard_apply(&change);
  look_if_late();
}

void Guard::raise_margin(Duration ttl) {
  const auto margin = milliseconds(500) + ttl / 1000;
  guard_raise_margin(&page_, static_cast<std::uint64_t>(margin.count()));
  look_if_late();
}

bool Guard::latched() const { return guard_expired(guard_view_of(&page_), now()); }

bool Guard::disarm() {
  if (latched()) return false;
  if (deadline()) guard_set_mode(&page_, GUARD_MODE_NONE);
  return true;
}

void Guard::announce_standby_start() { guard_set_mode(&page_, GUARD_MODE_STANDBY); }

void Guard::suspend_for_pause() { guard_set_mode(&page_, GUARD_MODE_NONE); }

void Guard::dismiss() {
  dismissed_ = true;
  process_.after(microseconds(200), [this] { process_.end(); });
}

std::optional<Instant> Guard::deadline() const {
  const auto order = guard_load(&page_.order);
  if (guard_mode_of(order) != GUARD_MODE_PRIMARY) return std::nullopt;
  return instant_of(guard_deadline_of(order));
}

Duration Guard::margin() const {
  return Duration(static_cast<std::int64_t>(guard_load(&page_.margin)));
}

Reign Guard::reign() const {
  return {LeaseId(static_cast<std::int64_t>(guard_load(&page_.reign_lease))),
          Revision(static_cast<std::int64_t>(guard_load(&page_.reign_revision)))};
}

bool Guard::armed() const {
  const auto until = deadline();
  if (!until || latched() || !process_.alive()) return false;
  const auto watching = guard_load(&page_.watching);
  if (watching == 0 || watching == GUARD_NEVER) return false;
  const auto wakes = instant_of(watching);
  return wakes <= *until - margin() && clock_.now() - wakes < lateness_max;
}

GuardState Guard::state() const {
  if (!process_.alive()) return GuardState::absent;
  if (latched()) return GuardState::latched;
  return armed() ? GuardState::armed : GuardState::disarmed;
}

void Guard::look_if_late() {
  const auto until = deadline();
  const auto watching = guard_load(&page_.watching);
  const bool asleep = watching == 0 || watching == GUARD_NEVER;
  if (!until || (!asleep && instant_of(watching) <= *until - margin())) return;
  process_.after(chance_.between(microseconds(30), milliseconds(1)), [this] { look(true); });
}

// ---- The guard's process ---------------------------------------------------------------------

void Guard::look(bool asked) {
  const auto view = guard_view_of(&page_);
  const bool expired = guard_expired(view, now());
  const guard_processes found{expired && server_.alive() ? 1U : 0U};
  const auto verdict = guard_step(view, now(), found, memory_);
  memory_ = verdict.memory;
  guard_store(&page_.watching, verdict.wake_at);
  if (verdict.act == GUARD_ACT_QUIT) {
    world_.tell(server_.name(), "guard: the lease is about to end: SIGQUIT");
    server_.quit();
  } else if (verdict.act == GUARD_ACT_SWEEP) {
    world_.tell(server_.name(), "guard: the lease is about to end: SIGKILL");
    server_.kill();
  }
  if (asked) tell_agent();
  const auto number = ++wake_;
  if (verdict.wake_at == GUARD_NEVER) return;
  const auto at = clock_.world(instant_of(verdict.wake_at));
  const auto lateness = chance_.between(Duration(0), milliseconds(3));
  process_.after(at - world_.now() + lateness, [this, number] {
    if (number == wake_) look(false);
  });
}

void Guard::tell_agent() {
  if (agent_ == nullptr) return;
  agent_->after(chance_.between(microseconds(30), microseconds(500)), [this] {
    if (on_change) on_change();
  });
}

int Guard::start_refused(bool standby, bool single_user) const {
  return guard_start_refused(guard_view_of(&page_), now(), standby, single_user);
}

// ---- Faults ----------------------------------------------------------------------------------

// The agent, if there is one, sees it go and starts another on the same page.
void Guard::kill() {
  if (!process_.alive()) return;
  process_.end();
  if (agent_ == nullptr || !agent_->alive()) return;
  tell_agent();
  agent_->after(chance_.between(milliseconds(5), milliseconds(60)), [this] {
    if (!process_.alive() && !dismissed_) begin();
  });
}

void Guard::vanish() {
  process_.end();
  page_ = guard_page{};
}

}  // namespace tanist::sim
