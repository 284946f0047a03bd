// SPDX-License-Identifier: Apache-2.0
// Callbacks: when, with what, one at a time.
// tidy: table
#include "postgres/callbacks.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

TEST_F(Situation, EveryReloadThatHappenedRunsItsCallback) {
  const auto seen = cluster.folder / "seen";
  first.settings.callbacks["on_reload"] = script("told", "echo \"$@\" >>" + seen) + " word";
  first.apply();
  ASSERT_TRUE(first.bootstrap());
  EXPECT_FALSE(os::exists(seen)) << "a bootstrap runs none";
  ASSERT_TRUE(first.perform(ReloadServer{.goal = TestNode::primary()}).ok);
  first.settings.parameters["work_mem"] = "7MB";
  first.apply();
  ASSERT_TRUE(first.perform(ReloadServer{.goal = TestNode::primary()}).ok);
  EXPECT_TRUE(first.see([&](const ServerFacts&) {
    return content(seen) == "word on_reload primary demo\n";
  })) << content(seen);
}

// Trap 143.
TEST_F(Situation, ANewCallbackEndsTheRunningOneWithItsChildren) {
  const auto seen = cluster.folder / "seen";
  const auto wait =
      script("wait", "echo \"$1 begins\" >>" + seen + "; sleep 30; echo late >>" + seen);
  first.settings.callbacks["on_stop"] = wait;
  first.settings.callbacks["on_start"] = wait;
  first.settings.callbacks["on_role_change"] = script("role", "echo \"$@\" >>" + seen);
  first.apply();
  first.perform(RunCallback{"on_stop", Role::demoted});
  ASSERT_TRUE(first.see([&](const ServerFacts&) { return !content(seen).empty(); }));
  first.perform(RunCallback{"on_start", Role::replica});
  first.perform(RunCallback{"on_role_change", Role::promoted});
  EXPECT_TRUE(first.see([&](const ServerFacts&) {
    return content(seen) == "on_stop begins\non_role_change primary demo\n";
  })) << content(seen);
}

}  // namespace
}  // namespace tanist::postgres
