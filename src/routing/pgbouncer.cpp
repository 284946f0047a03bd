// SPDX-License-Identifier: Apache-2.0
// The admin console: a connection to the pooler's database `pgbouncer`, simple queries only.
#include "routing/pgbouncer.h"

#include "base/log.h"
#include "sql/connection.h"
#include "sql/quoting.h"

namespace tanist::routing {

namespace {

constexpr Duration console_limit = seconds{1};
constexpr Duration between_attempts = milliseconds{200};
constexpr int attempts_max = 3;

}  // namespace

struct Pgbouncer::State {
  os::Executor loop;
  os::DiskPool* disk;
  PgbouncerTarget target;
  std::function<bool()> takes_writes;
  sql::AddressBook addresses;
  os::StopPtr stop = std::make_shared<os::Stop>();
  bool busy = false;
  bool again = false;
};

Pgbouncer::Pgbouncer(os::Executor loop, os::DiskPool& disk, PgbouncerTarget target,
                     std::function<bool()> takes_writes)
    : state_(std::make_shared<State>(State{.loop = loop,
                                           .disk = &disk,
                                           .target = std::move(target),
                                           .takes_writes = std::move(takes_writes),
                                           .addresses = sql::AddressBook(disk)})) {}

Pgbouncer::~Pgbouncer() { state_->stop->request(); }

void Pgbouncer::tell() {
  state_->again = true;
  if (std::exchange(state_->busy, true)) return;
  os::start(state_->loop, run(state_));
}

os::Awaitable<Result<void>> Pgbouncer::reconnect(std::shared_ptr<State> state, os::Limit limit) {
  auto opened = co_await open_console(state->disk, &state->addresses, state->target, limit);
  if (!opened) co_return tl::unexpected(opened.error().plain());
  auto statements = state->target.databases;
  if (statements.empty()) statements.emplace_back();
  for (const auto& database : statements) {
    if (!state->takes_writes()) co_return Result<void>{};
    const auto statement = database.empty() ? std::string("RECONNECT")
                                            : "RECONNECT " + sql::quote_identifier(database);
    const auto done = co_await (*opened)->script(statement, limit);
    if (!done) co_return tl::unexpected(done.error().plain());
  }
  co_return Result<void>{};
}

os::Awaitable<void> Pgbouncer::run(std::shared_ptr<State> state) {
  int failures = 0;
  while (state->again && !state->stop->requested()) {
    state->again = false;
    const os::Limit limit = os::Limit{Instant::max(), state->stop}.within(console_limit);
    const auto done = co_await reconnect(state, limit);
    if (state->stop->requested()) break;
    const auto& target = state->target;
    if (done) {
      log_info("routing: PgBouncer at {}:{} reconnects", target.host, target.port);
      continue;
    }
    if (++failures >= attempts_max) {
      log_warning("routing: PgBouncer at {}:{} was not told to reconnect: {}", target.host,
                  target.port, done.error().message);
      break;
    }
    state->again = state->takes_writes();
    const os::Limit pause = os::Limit{Instant::max(), state->stop}.within(between_attempts);
    co_await os::pause(pause);
  }
  state->busy = false;
}

}  // namespace tanist::routing
