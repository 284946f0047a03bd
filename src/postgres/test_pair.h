// SPDX-License-Identifier: Apache-2.0
// For tests: two nodes, and what tests do with them again and again. Include gtest before it.
#pragma once

#include <sys/stat.h>

#include <fstream>

#include "os/file.h"
#include "postgres/test_node.h"

namespace tanist::postgres {

class ServerTest : public testing::Test {
 protected:
  void SetUp() override { TANIST_NEEDS_SERVER(); }

  // A standby `to` of the running `from`.
  static void copy(TestNode& from, TestNode& to) {
    const auto cloned = to.perform(CloneData{.source = from.as_upstream()});
    ASSERT_TRUE(cloned.ok) << cloned.error;
    const auto started = to.perform(StartServer{.goal = to.following(from)});
    ASSERT_EQ(started.start, StartOutcome::ready) << started.error;
  }
  static bool streams(TestNode& node) {
    return node.see([](const ServerFacts& facts) {
      return facts.query && facts.query->in_recovery && facts.query->receiver_status == "streaming";
    });
  }
  static bool promote(TestNode& node) {
    const auto accepted = node.perform(PromoteServer{.goal = TestNode::primary()});
    EXPECT_TRUE(accepted.ok) << accepted.error;
    return node.see(
        [](const ServerFacts& facts) { return facts.query && !facts.query->in_recovery; });
  }
  static DivergenceFacts examine(TestNode& node, const TestNode& leader) {
    return *node.perform(ExamineDivergence{leader.as_upstream()}).divergence;
  }
  // The former primary `old` was stopped by `mode`, the standby is the new primary and has written.
  static void fail_over(TestNode& old, TestNode& standby, StopMode mode) {
    ASSERT_EQ(old.query("CREATE TABLE public.lost AS SELECT generate_series(1, 100) AS n"), "");
    ASSERT_TRUE(old.perform(StopServer{.mode = mode}).ok);
    ASSERT_TRUE(promote(standby));
    ASSERT_EQ(standby.query("CREATE TABLE public.won AS SELECT generate_series(1, 100) AS n"), "");
    ASSERT_EQ(standby.query("CHECKPOINT"), "");
  }

  TestCluster cluster;
  TestNode first{cluster, "first", 0};
  TestNode second{cluster, "second", 1};
};

// The same with scripts, an archive, and a ready-made divergence.
class Situation : public ServerTest {
 protected:
  // An executable file; its path.
  std::string script(const std::string& name, const std::string& text) const {
    const auto path = cluster.folder / name;
    std::ofstream(path) << "#!/bin/bash\n" << text << "\n";
    chmod(path.c_str(), 0755);
    return path;
  }
  std::string archive() const {
    const auto folder = cluster.folder / "archive";
    std::filesystem::create_directories(folder);
    return folder;
  }
  static std::string content(const std::string& path) { return os::read_file(path).value_or(""); }

  // `first` has rows that `second`, the new primary, does not have, and is stopped cleanly.
  void diverge(const std::string& extra = "") {
    ASSERT_TRUE(first.bootstrap());
    copy(first, second);
    ASSERT_TRUE(streams(second));
    ASSERT_TRUE(second.perform(StopServer{}).ok);
    ASSERT_EQ(first.query("CREATE TABLE public.only_here AS SELECT generate_series(1, 1000) AS n"),
              "");
    if (!extra.empty()) first.query(extra);
    ASSERT_TRUE(first.perform(StopServer{}).ok);
    auto alone = second.following(first);
    alone.upstream.reset();
    ASSERT_EQ(second.perform(StartServer{.goal = alone}).start, StartOutcome::ready);
    ASSERT_TRUE(promote(second));
    ASSERT_EQ(second.query("CREATE TABLE public.won AS SELECT generate_series(1, 100) AS n"), "");
    ASSERT_EQ(second.query("CHECKPOINT"), "");
  }
  bool follows_second() {
    return first.perform(StartServer{.goal = first.following(second)}).start ==
               StartOutcome::ready &&
           streams(first) && first.query("SELECT count(*) FROM public.won") == "100";
  }
  static std::vector<std::string> salvages(const TestNode& node) {
    return os::list_folder(node.settings.data_dir + ".salvage")
        .value_or(std::vector<std::string>{});
  }
};

}  // namespace tanist::postgres
