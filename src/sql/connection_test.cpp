// SPDX-License-Identifier: Apache-2.0
// Queries against a real server, with deadlines, notices, hostile values, and over replication.
#include "sql/connection.h"

#include <gmock/gmock.h>
#include <signal.h>

#include "os/clock.h"
#include "os/run_loop.h"
#include "sql/replication.h"
#include "sql/test_server.h"

namespace tanist::sql {
namespace {

using testing::HasSubstr;

class ConnectionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (no_server_reason().empty()) server = std::make_unique<TestServer>("wal_level=replica");
  }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override { TANIST_NEEDS_SERVER(); }

  static ConnectRequest request() {
    ConnectRequest result;
    result.keywords = {{"host", server->address},
                       {"port", std::to_string(server->port)},
                       {"user", "postgres"},
                       {"dbname", "postgres"}};
    return result;
  }
  SqlResult<ConnectionPtr> open(ConnectRequest request, os::Limit limit = {}) {
    return os::run_until_done(
        loop, Connection::open(&pool, &addresses, std::move(request), std::move(limit)));
  }
  ConnectionPtr connect() { return *open(request()); }
  SqlResult<Rows> query(const ConnectionPtr& connection, std::string statement,
                        std::vector<Value> parameters = {}, os::Limit limit = {}) {
    return os::run_until_done(
        loop, connection->query(std::move(statement), std::move(parameters), std::move(limit)));
  }

  static std::unique_ptr<TestServer> server;
  boost::asio::io_context loop;
  os::DiskPool pool;
  AddressBook addresses{pool};
};

std::unique_ptr<TestServer> ConnectionTest::server;

TEST_F(ConnectionTest, ReturnsRowsOfOptionalTexts) {
  const auto rows =
      query(connect(), "SELECT 1 AS a, NULL AS b, 'x' AS c UNION ALL SELECT 2, 'y', ''");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->rows.size(), 2U);
  EXPECT_EQ(rows->at(0, "a"), "1");
  EXPECT_EQ(rows->at(0, "b"), std::nullopt);
  EXPECT_EQ(rows->at(1, "c"), "");
  EXPECT_EQ(rows->at(1, "no such column"), std::nullopt);
  EXPECT_EQ(rows->at(7, "a"), std::nullopt);
}

TEST_F(ConnectionTest, HandsHostileParametersThroughUnchanged) {
  const std::string hostile = "'; DROP TABLE x; -- \\ \n \" $1 ü";
  EXPECT_EQ(query(connect(), "SELECT $1::text, $2::text IS NULL", {hostile, std::nullopt})->rows[0],
            (std::vector<Value>{hostile, "t"}));
}

TEST_F(ConnectionTest, KeepsTheSqlstateAndGoesOn) {
  const auto connection = connect();
  const auto failed = query(connection, "SELECT 1/0");
  EXPECT_EQ(failed.error().code, Errc::failed);
  EXPECT_EQ(failed.error().sqlstate, "22012");
  EXPECT_THAT(failed.error().message, HasSubstr("division by zero"));
  EXPECT_EQ(query(connection, "SELECT 5")->rows[0][0], "5");
}

TEST_F(ConnectionTest, CollectsNotices) {
  const auto rows = query(connect(), "DO $$BEGIN RAISE WARNING 'careful: %', 7; END$$");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->notices.size(), 1U);
  EXPECT_EQ(rows->notices[0].severity, "WARNING");
  EXPECT_EQ(rows->notices[0].message, "careful: 7");
}

TEST_F(ConnectionTest, RunsSeveralStatementsInOneRoundTrip) {
  const auto connection = connect();
  auto all =
      os::run_until_done(loop, connection->script("SELECT 1; SELECT 2 AS b, 3; SET x.y = 4", {}));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ((*all)[1].at(0, "b"), "2");
  all = os::run_until_done(loop, connection->script("SELECT 1; SELECT 1/0; SELECT 2", {}));
  EXPECT_EQ(all.error().sqlstate, "22012");
}

// Trap 131: functions planted in `public` are out of reach.
TEST_F(ConnectionTest, SessionsHaveTheirSettings) {
  auto wanted = request();
  wanted.settings = {{"statement_timeout", "2000"},
                     {"application_name", "Patroni heartbeat"},
                     {"synchronous_commit", "local"}};
  const auto connection = *open(wanted);
  EXPECT_EQ(query(connection, "SHOW search_path")->rows[0][0], "pg_catalog");
  EXPECT_EQ(query(connection, "SHOW statement_timeout")->rows[0][0], "2s");
  EXPECT_EQ(query(connection, "SHOW application_name")->rows[0][0], "Patroni heartbeat");
  EXPECT_EQ(query(connection, "SHOW synchronous_commit")->rows[0][0], "local");
  EXPECT_EQ(query(connection, "SHOW server_version_num")->rows[0][0],
            std::to_string(connection->server_version()));
  EXPECT_GT(connection->backend_pid(), 0);
}

TEST_F(ConnectionTest, AStatementTimeoutIsTheServersAnswer) {
  auto wanted = request();
  wanted.settings = {{"statement_timeout", "50"}};
  const auto connection = *open(wanted);
  EXPECT_EQ(query(connection, "SELECT pg_sleep(10)").error().sqlstate, "57014");
  EXPECT_TRUE(connection->usable());
}

TEST_F(ConnectionTest, OurOwnDeadlineClosesTheConnection) {
  const auto connection = connect();
  const auto begin = os::now();
  const auto result =
      query(connection, "SELECT pg_sleep(10)", {}, os::Limit{}.within(milliseconds{100}));
  EXPECT_EQ(result.error().code, Errc::timeout);
  EXPECT_LT(os::now() - begin, seconds{5});
  EXPECT_FALSE(connection->usable());
  EXPECT_EQ(query(connection, "SELECT 1").error().code, Errc::unavailable);
}

TEST_F(ConnectionTest, AServerThatDiesIsAnErrorAtOnce) {
  const auto connection = connect();
  const auto other = connect();
  boost::asio::post(loop, [&] {
    os::start(loop.get_executor(),
              [](ConnectionPtr killer, std::int64_t pid) -> os::Awaitable<void> {
                std::vector<Value> who{std::to_string(pid)};
                co_await killer->query("SELECT pg_terminate_backend($1)", who, os::Limit{});
              }(other, connection->backend_pid()));
  });
  const auto result = query(connection, "SELECT pg_sleep(100)");
  EXPECT_EQ(result.error().sqlstate, "57P01");
  EXPECT_FALSE(connection->usable());
}

TEST_F(ConnectionTest, ItsOwnerMayCloseItDuringAStatement) {
  const auto connection = connect();
  boost::asio::post(loop, [&] { connection->close(); });
  const auto result = query(connection, "SELECT pg_sleep(0.2)");
  EXPECT_EQ(result.error().code, Errc::unavailable);
}

TEST_F(ConnectionTest, LargeStatementsAndAnswersPass) {
  const std::string large(8 << 20, 'x');
  EXPECT_EQ(query(connect(), "SELECT length($1), $1", {large})->rows[0],
            (std::vector<Value>{std::to_string(large.size()), large}));
}

TEST_F(ConnectionTest, NobodyThereAndSilenceAreUnavailableInTime) {
  auto wanted = request();
  wanted.keywords["port"] = std::to_string(free_port());
  EXPECT_EQ(open(wanted).error().code, Errc::unavailable);
  wanted.keywords["host"] = "10.255.255.1";  // routed nowhere
  const auto begin = os::now();
  const auto silent = open(wanted, os::Limit{}.within(milliseconds{200}));
  EXPECT_FALSE(silent);
  EXPECT_LT(os::now() - begin, seconds{5});
}

TEST_F(ConnectionTest, TriesTheHostsOfAListInOrder) {
  auto wanted = request();
  wanted.keywords["host"] = "127.0.0.1,no-such-host.invalid," + server->address;
  wanted.keywords["port"] = std::to_string(free_port()) + ",1," + std::to_string(server->port);
  EXPECT_TRUE(open(wanted));
}

TEST_F(ConnectionTest, UsesASocketFolder) {
  auto wanted = request();
  wanted.keywords["host"] = server->folder.path();
  EXPECT_TRUE(open(wanted));
}

TEST_F(ConnectionTest, AWrongPasswordStaysOutOfTheError) {
  TANIST_NEEDS_SERVER();
  const TestServer strict("", "host all all all scram-sha-256\nlocal all all trust");
  auto wanted = request();
  wanted.keywords["host"] = strict.address;
  wanted.keywords["port"] = std::to_string(strict.port);
  wanted.password = Secret("hunter2");
  const auto refused = open(wanted);
  EXPECT_THAT(refused.error().message, HasSubstr("password authentication failed"));
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("hunter2")));
}

TEST_F(ConnectionTest, HashesPasswordsSoThatTheServerTakesThem) {
  const TestServer strict("", "host all bob all scram-sha-256\nlocal all all trust");
  auto local = request();
  local.keywords["host"] = strict.folder.path();
  local.keywords["port"] = std::to_string(strict.port);
  const auto connection = *open(local);
  const Secret password("sp ace'quote\\back");
  const auto hashed = connection->hashed_password("bob", password, "scram-sha-256");
  ASSERT_TRUE(hashed);
  EXPECT_TRUE(hashed->reveal().starts_with("SCRAM-SHA-256$"));
  ASSERT_TRUE(query(connection, "CREATE ROLE bob LOGIN PASSWORD '" + hashed->reveal() + "'"));
  auto remote = local;
  remote.keywords["host"] = strict.address;
  remote.keywords["user"] = "bob";
  remote.password = password;
  EXPECT_TRUE(open(remote));
  EXPECT_FALSE(connection->hashed_password("bob", password, "rot13"));
}

TEST_F(ConnectionTest, SpeaksTheReplicationProtocol) {
  auto wanted = request();
  wanted.replication = true;
  const auto connection = *open(wanted);
  const auto identity = os::run_until_done(loop, identify_system(connection, {}));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->timeline, 1U);
  EXPECT_GE(identity->system_id.size(), 10U);
  EXPECT_THAT(identity->position, testing::ContainsRegex("^[0-9A-F]+/[0-9A-F]+$"));
  const auto missing = os::run_until_done(loop, timeline_history(connection, 7, {}));
  EXPECT_EQ(missing.error().sqlstate, "58P01");
}

TEST_F(ConnectionTest, ReadsATimelineHistory) {
  std::ofstream(server->data() + "/pg_wal/00000009.history") << "8\t0/5000\tbecause 'x'\n";
  auto wanted = request();
  wanted.replication = true;
  EXPECT_EQ(*os::run_until_done(loop, timeline_history(*open(wanted), 9, {})),
            "8\t0/5000\tbecause 'x'\n");
}

}  // namespace
}  // namespace tanist::sql

int main(int count, char** arguments) {
  tanist::sql::become_postgres(arguments);
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
