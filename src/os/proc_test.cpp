// SPDX-License-Identifier: Apache-2.0
// Reading /proc, also when names are made to mislead.
#include "os/proc.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "os/clock.h"

namespace tanist::os {
namespace {

TEST(ProcessStatText, IsReadAlthoughTheNameHasParentheses) {
  const auto process = parse_process_stat(
      "4711 (a) S 1 (b) Z 1 4711 4700 0 -1 4194560 7 0 0 0 0 0 0 0 20 0 1 0 8888 1 2 3");
  ASSERT_TRUE(process);
  EXPECT_EQ(process->identity, (ProcessIdentity{4711, 8888}));
  EXPECT_EQ(process->name, "a) S 1 (b");
  EXPECT_EQ(process->state, 'Z');
  EXPECT_EQ(process->parent, 1);
  EXPECT_EQ(process->session, 4700);
}

TEST(ProcessStatText, IsRefusedWhenItIsSomethingElse) {
  for (const auto* text :
       {"", "1", "1 (x", ") 1 (", "1 (x) S", "x (x) S 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        "1 (x) S a 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"}) {
    EXPECT_FALSE(parse_process_stat(text)) << text;
  }
}

TEST(Proc, KnowsThisProcess) {
  const auto self = read_process(getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->parent, getppid());
  EXPECT_EQ(*user_of(getpid()), getuid());
  EXPECT_TRUE(*works_in(getpid(), "."));
  EXPECT_FALSE(*works_in(getpid(), "/proc"));
  EXPECT_TRUE(title_of(getpid())->starts_with(*executable_of(getpid())) ||
              !title_of(getpid())->empty());
  const auto age = wall_now() - *started_at(self->identity.start_ticks);
  EXPECT_LT(std::chrono::abs(age), std::chrono::minutes{10});
}

TEST(Proc, SaysThatAProcessDoesNotExist) {
  EXPECT_EQ(read_process(1 << 30).error().code, Errc::not_found);
  EXPECT_EQ(executable_of(1 << 30).error().code, Errc::not_found);
  EXPECT_FALSE(works_in(1 << 30, "/"));
}

}  // namespace
}  // namespace tanist::os
