// SPDX-License-Identifier: Apache-2.0
// postmaster.pid in all stages of being written, and pids that were taken over by others.
#include "postgres/postmaster_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "sql/test_server.h"

namespace tanist::postgres {
namespace {

TEST(PostmasterFileText, IsReadAsFarAsItIsWritten) {
  const auto whole = parse_postmaster_file(
      "4711\n/data\n1700000000\n5432\n/tmp\n127.0.0.1\n  1234 5678\nready   \n");
  ASSERT_TRUE(whole);
  EXPECT_EQ(*whole, (PostmasterFile{4711, 1700000000, 5432, "/tmp", "127.0.0.1", "ready"}));
  const auto begun = parse_postmaster_file("4711\n/data\n");
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->port, 0);
  EXPECT_EQ(begun->status, "");
  const auto single = parse_postmaster_file("-4711\n/data\n1700000000\n");
  EXPECT_TRUE(single->is_single_user());
  EXPECT_EQ(single->process(), 4711);
}

TEST(PostmasterFileText, NeedsAPid) {
  for (const auto* text : {"", "\n", "x\n", "0\n", "1\n", "99999999999999999999\n"}) {
    EXPECT_FALSE(parse_postmaster_file(text)) << text;
  }
}

TEST(IsPostmaster, FollowsTheEvidence) {
  struct Row {
    PostmasterEvidence evidence;
    bool verdict;
    const char* why;
  };
  const PostmasterFile file{.pid = 4711, .started = 1000};
  const std::vector<Row> rows{
      {{true, "postgres", true, 1000}, false, "ourselves or our parent"},
      {{false, "sshd", std::nullopt, 1000}, false, "another program, although started then"},
      {{false, "postgres", true, 5000}, true, "program and folder fit"},
      {{false, "my-postgres", true, 5000}, true, "the configured program"},
      {{false, "postmaster", true, 5000}, true, "the old name"},
      {{false, "postgres", false, 1000}, false, "the server of another directory"},
      {{false, std::nullopt, std::nullopt, 1003}, true, "only the start time is known"},
      {{false, std::nullopt, std::nullopt, 1004}, false, "started at another time"},
      {{false, "postgres", std::nullopt, 5000}, false, "another user's server"},
      {{false, std::nullopt, std::nullopt, std::nullopt}, false, "nothing is known"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(is_postmaster(file, row.evidence, "my-postgres"), row.verdict) << row.why;
  }
}

TEST(FindPostmaster, FindsARunningServer) {
  TANIST_NEEDS_SERVER();
  const sql::TestServer server;
  const auto found = find_postmaster(server.data(), "postgres", nullptr);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->file.port, server.port);
  EXPECT_EQ(found->file.listen_host, server.address);
  EXPECT_EQ(found->file.status, "ready");
  EXPECT_TRUE(found->process->alive());
}

// Trap 45.
TEST(FindPostmaster, IsNotMisledByAPidThatBelongsToAnother) {
  const sql::TemporaryFolder data;
  std::ofstream(data / "postmaster.pid") << getpid() << "\n" << data.path() << "\n1700000000\n";
  std::int64_t foreign = 0;
  EXPECT_EQ(find_postmaster(data.path(), "postgres", &foreign).error().code, Errc::refused);
  EXPECT_EQ(foreign, getpid());
  std::ofstream(data / "postmaster.pid") << (1 << 30) << "\n";
  EXPECT_EQ(find_postmaster(data.path(), "postgres", &foreign).error().code, Errc::not_found);
  EXPECT_EQ(find_postmaster(data / "none", "postgres", &foreign).error().code, Errc::not_found);
}

}  // namespace
}  // namespace tanist::postgres
