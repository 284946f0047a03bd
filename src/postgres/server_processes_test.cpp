// SPDX-License-Identifier: Apache-2.0
// Titles recorded from servers 12 to 18, and a real sweep.
#include "postgres/server_processes.h"

#include <gtest/gtest.h>

#include "os/process.h"
#include "os/run_loop.h"
#include "sql/test_server.h"

namespace tanist::postgres {
namespace {

TEST(ClientBackend, ShowsWhereItComesFrom) {
  for (const auto* title :
       {"postgres: demo: postgres postgres [local] idle",
        "postgres: postgres app 10.0.0.1(53422) INSERT waiting",
        "postgres: demo: my user my db ::1(5) COMMIT",
        "postgres: demo: app app [local] authentication",
        "postgres: demo: walsender_user db [local] idle",
        "/usr/lib/postgresql/15/bin/postgres -D /data --port=5432", "", "postgres"}) {
    EXPECT_TRUE(is_client_backend(title)) << title;
  }
}

// Trap 170.
TEST(ClientBackend, IsNoAuxiliaryProcess) {
  for (const auto* name : {"checkpointer",
                           "background writer",
                           "walwriter",
                           "autovacuum launcher",
                           "autovacuum worker postgres",
                           "stats collector",
                           "logical replication launcher",
                           "logical replication worker for subscription 16395",
                           "logical replication apply worker for subscription 16395",
                           "archiver last was 000000010000000000000002",
                           "startup recovering 000000010000000000000003",
                           "walreceiver streaming 0/3000148",
                           "logger",
                           "io worker 0",
                           "slotsync worker",
                           "walsummarizer",
                           "parallel worker for PID 4711",
                           "pg_cron launcher",
                           "TimescaleDB Background Worker Launcher",
                           "walsender rep 127.0.0.1(53422) streaming 0/3000148",
                           "walsender rep [local] sending backup \"base\"",
                           "wal sender process rep 10.0.0.1(1) streaming"}) {
    EXPECT_FALSE(is_client_backend("postgres: demo: " + std::string(name))) << name;
    EXPECT_FALSE(is_client_backend("postgres: " + std::string(name))) << name;
  }
}

// Traps 28 and 48.
TEST(Sweep, EndsTheOrphansOfADeadPostmasterAndNobodyElse) {
  TANIST_NEEDS_SERVER();
  sql::TestServer victim;
  const sql::TestServer bystander;
  std::ifstream pid_file(victim.data() + "/postmaster.pid");
  std::int64_t pid = 0;
  pid_file >> pid;
  const auto children = os::children_of(pid).size();
  ASSERT_GT(children, 3U);
  const auto postmaster = os::adopt_process(pid);
  boost::asio::io_context loop;
  ASSERT_TRUE((*postmaster)->send(SIGSTOP));  // so that its children do not notice its end
  for (const auto& child : os::children_of(pid))
    (*os::adopt_process(child.identity.pid))->send(SIGSTOP);
  ASSERT_TRUE((*postmaster)->send(SIGKILL));
  os::run_until_done(loop, (*postmaster)->exited(os::Limit{}));
  EXPECT_EQ(processes_of_server(victim.data(), "postgres").size(), children);
  EXPECT_EQ(*sweep_processes(victim.data(), "postgres"), static_cast<int>(children));
  EXPECT_EQ(*sweep_processes(victim.data(), "postgres"), 0);
  EXPECT_FALSE(processes_of_server(bystander.data(), "postgres").empty());
}

}  // namespace
}  // namespace tanist::postgres
