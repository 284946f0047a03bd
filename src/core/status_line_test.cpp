// SPDX-License-Identifier: Apache-2.0
// What is said with the status line of a cycle.
#include "core/status_line.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist {
namespace {

using testing::Given;

// Safety 6.
TEST(StatusLine, AnOldPatroniInQuorumModeIsCriticalInEachCycle) {
  const auto said = [](SynchronousMode mode, const std::string& version, bool is_tanist) {
    Given given("b");
    given.cluster().synchronous_mode = mode;
    auto& member = given.member("c");
    member.version = version;
    if (!is_tanist) member.tanist_version.clear();
    const auto line = status_line(because(Reason::following_leader), given.build());
    EXPECT_FALSE(line.text.empty());
    return line.before.size() == 1 && line.before[0].level == LineLevel::critical &&
           line.before[0].text.starts_with("member c runs Patroni " + version);
  };
  EXPECT_TRUE(said(SynchronousMode::quorum, "3.0.2", false));
  EXPECT_FALSE(said(SynchronousMode::quorum, "4.0.7", false));
  EXPECT_FALSE(said(SynchronousMode::quorum, "10.1", false));
  EXPECT_FALSE(said(SynchronousMode::quorum, "3.0.2", true));
  EXPECT_FALSE(said(SynchronousMode::priority, "3.0.2", false));
}

}  // namespace
}  // namespace tanist
