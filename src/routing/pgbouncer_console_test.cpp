// SPDX-License-Identifier: Apache-2.0
// What the console shows.
#include "routing/pgbouncer_console.h"

#include <gtest/gtest.h>

namespace tanist::routing {
namespace {

sql::Rows shown() {
  sql::Rows rows;
  rows.columns = {"name", "pool_mode", "paused"};
  rows.rows = {{"app", std::nullopt, "0"},
               {"batch", "session", "0"},
               {"held", "statement", "1"},
               {"pgbouncer", "statement", "0"}};
  return rows;
}

TEST(PgbouncerConsole, ShowsWhichDatabasesPoolTransactions) {
  const auto all = databases_of(shown(), "transaction", {});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], (PooledDatabase{"app", false, true}));
  EXPECT_EQ(all[1], (PooledDatabase{"batch", false, false}));
  EXPECT_EQ(all[2], (PooledDatabase{"held", true, true}));
  EXPECT_FALSE(databases_of(shown(), "session", {"app"})[0].by_transaction);
}

TEST(PgbouncerConsole, ShowsNoOthersThanThoseAskedFor) {
  const auto some = databases_of(shown(), "transaction", {"held", "unknown"});
  ASSERT_EQ(some.size(), 1U);
  EXPECT_EQ(some[0].name, "held");
  sql::Rows garbage;
  garbage.columns = {"other"};
  garbage.rows = {{"x"}};
  EXPECT_TRUE(databases_of(garbage, "", {}).empty());
}

TEST(PgbouncerConsole, TargetsAreHostAndPort) {
  const auto target = target_of("/run/postgresql:6432", "pooler", Secret("s"), {});
  EXPECT_EQ(target.host, "/run/postgresql");
  EXPECT_EQ(target.port, "6432");
  EXPECT_EQ(target_of("10.0.0.9", "", {}, {}).port, "6432");
}

}  // namespace
}  // namespace tanist::routing
