// SPDX-License-Identifier: Apache-2.0
// PAUSE; RECONNECT and RESUME.
#include "routing/pooler_pause.h"

#include <memory>

#include "base/format.h"
#include "base/log.h"
#include "os/clock.h"
#include "sql/quoting.h"

namespace tanist::routing {

namespace {

// For who did not pause in time: it holds clients back until it is told to resume.
constexpr Duration let_go_limit = milliseconds{500};

struct Exchange {
  os::DiskPool* disk;
  PgbouncerTarget target;
  sql::AddressBook addresses;
};
using ExchangePtr = std::shared_ptr<Exchange>;

os::Awaitable<Result<std::vector<PooledDatabase>>> read_databases(ExchangePtr exchange,
                                                                  sql::ConnectionPtr console,
                                                                  os::Limit limit) {
  const auto config = co_await console->script("SHOW CONFIG", limit);
  if (!config || config->empty()) co_return fail(Errc::failed, "SHOW CONFIG gave nothing");
  std::string mode;
  const auto& rows = config->front();
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    if (rows.at(row, "key") == "pool_mode") mode = rows.at(row, "value").value_or("");
  }
  const auto shown = co_await console->script("SHOW DATABASES", limit);
  if (!shown || shown->empty()) co_return fail(Errc::failed, "SHOW DATABASES gave nothing");
  co_return databases_of(shown->front(), mode, exchange->target.databases);
}

// `words` for each of those databases that `counts`; how many.
template <class Counts>
os::Awaitable<Result<int>> order(ExchangePtr exchange, std::vector<std::string> words,
                                 Counts counts, os::Limit limit) {
  auto console =
      co_await open_console(exchange->disk, &exchange->addresses, exchange->target, limit);
  if (!console) co_return tl::unexpected(console.error().plain());
  const auto databases = co_await read_databases(exchange, *console, limit);
  if (!databases) co_return tl::unexpected(databases.error());
  int count = 0;
  for (const auto& database : *databases) {
    if (!counts(database)) continue;
    for (const auto& word : words) {
      const auto statement = word + " " + sql::quote_identifier(database.name);
      const auto done = co_await (*console)->script(statement, limit);
      if (!done) co_return fail(done.error().code, "{}: {}", statement, done.error().message);
    }
    ++count;
  }
  co_return count;
}

os::Awaitable<Result<int>> resume(ExchangePtr exchange, os::Limit limit) {
  return order(
      exchange, {"RECONNECT", "RESUME"},
      [](const PooledDatabase& database) { return database.paused; }, limit);
}

os::Awaitable<Result<int>> pause(ExchangePtr exchange, os::Limit limit) {
  auto paused = co_await order(
      exchange, {"PAUSE"},
      [](const PooledDatabase& database) { return database.by_transaction && !database.paused; },
      limit);
  if (paused) co_return paused;
  const auto soon = os::Limit{}.within(let_go_limit);
  const auto let_go = co_await resume(exchange, soon);
  if (!let_go) {
    log_warning("routing: PgBouncer at {}:{} may still hold clients back: {}",
                exchange->target.host, exchange->target.port, let_go.error().message);
  }
  co_return paused;
}

// Counts the exchanges that are under way; the last one tells.
struct Round {
  std::size_t open = 0;
  bool all = true;
  std::function<void(bool all)> done;

  void end(bool good) {
    all = all && good;
    if (--open == 0) done(all);
  }
};

os::Awaitable<void> tell_one(ExchangePtr exchange, TellPoolers::What what, os::Limit limit,
                             std::shared_ptr<Round> round) {
  const auto began = os::now();
  const bool pauses = what == TellPoolers::What::pause;
  const auto carry_out = pauses ? pause : resume;
  const auto told = co_await carry_out(exchange, limit);
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(os::now() - began).count();
  const auto& target = exchange->target;
  if (told) {
    log_info("routing: PgBouncer at {}:{} has {} {} databases ({} ms)", target.host, target.port,
             pauses ? "paused" : "resumed", *told, took);
  } else {
    log_warning("routing: PgBouncer at {}:{} did not {}: {}", target.host, target.port,
                pauses ? "pause" : "resume", told.error().message);
  }
  round->end(told.has_value());
}

}  // namespace

void tell_poolers(os::Executor loop, os::DiskPool& disk, PoolerOrder order,
                  std::function<void(bool all)> done) {
  auto round = std::make_shared<Round>(Round{order.targets.size(), true, std::move(done)});
  if (order.targets.empty()) {
    round->open = 1;
    return round->end(true);
  }
  for (auto& target : order.targets) {
    auto exchange =
        std::make_shared<Exchange>(Exchange{&disk, std::move(target), sql::AddressBook(disk)});
    const auto limit = os::Limit{}.within(order.limit);
    os::start(loop, tell_one(std::move(exchange), order.what, limit, round));
  }
}

}  // namespace tanist::routing
