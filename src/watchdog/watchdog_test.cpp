// SPDX-License-Identifier: Apache-2.0
// When the device runs, what it is told, and what is said about it.
#include "watchdog/watchdog.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "os/file.h"
#include "watchdog/test_driver.h"

namespace tanist::watchdog {
namespace {

class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    TestDriver::now = Instant(seconds(1000));
    settings_.mode = WatchdogMode::required;
    settings_.device = "/dev/null";  // exists and can be written to; opened it is the driver's
  }

  Watchdog make() { return Watchdog(settings_, test_now, driver_.calls()); }
  static void pass(Duration time) { TestDriver::now += time; }
  static Instant lease_end(Duration left = seconds(30)) { return TestDriver::now + left; }

  WatchdogSettings settings_;
  TestDriver driver_;
  Timing timing_;
};

TEST_F(WatchdogTest, FirstProofStartsItAndEachFurtherOneMovesItsEnd) {
  auto watchdog = make();
  EXPECT_EQ(watchdog.check(timing_).state, WatchdogState::ready);
  EXPECT_EQ(driver_.opened, 0);
  auto facts = watchdog.renewed(timing_, lease_end());
  EXPECT_EQ(facts.state, WatchdogState::active);
  EXPECT_EQ(driver_.timeout, 25);
  EXPECT_EQ(facts.resets_at, TestDriver::now + seconds(25));
  pass(seconds(5));
  facts = watchdog.renewed(timing_, lease_end());
  EXPECT_EQ(facts.resets_at, TestDriver::now + seconds(25));
  EXPECT_EQ(driver_.resets_at, facts.resets_at);
}

TEST_F(WatchdogTest, WithoutAWordItFiresBeforeTheLeaseEnds) {
  auto watchdog = make();
  const auto end = lease_end();
  watchdog.renewed(timing_, end);
  pass(seconds(25));
  EXPECT_TRUE(driver_.fires());
  EXPECT_LT(TestDriver::now, end);
}

TEST_F(WatchdogTest, ProofThatComesTooLateDoesNotProlongIt) {
  auto watchdog = make();
  watchdog.renewed(timing_, lease_end());
  const auto before = driver_.resets_at;
  pass(seconds(6));
  const auto facts = watchdog.renewed(timing_, lease_end(seconds(24)));  // sent 6 s ago
  EXPECT_EQ(driver_.resets_at, before);
  EXPECT_EQ(facts.resets_at, before);
}

TEST_F(WatchdogTest, StoppedDeviceDoesNotFire) {
  auto watchdog = make();
  watchdog.renewed(timing_, lease_end());
  const auto facts = watchdog.stop();
  EXPECT_EQ(facts.state, WatchdogState::ready);
  EXPECT_FALSE(facts.resets_at);
  EXPECT_FALSE(driver_.resets_at);
  EXPECT_EQ(watchdog.descriptor(), -1);
  watchdog.stop();  // twice does no harm
}

TEST_F(WatchdogTest, DriverWithoutDisablingIsStoppedByTheMagicCharacter) {  // trap 147
  driver_.knows_disabling = false;
  auto watchdog = make();
  watchdog.renewed(timing_, lease_end());
  EXPECT_FALSE(watchdog.stop().resets_at);
  EXPECT_FALSE(driver_.resets_at);
}

TEST_F(WatchdogTest, DeviceThatCannotBeStoppedIsSaidToGoOn) {  // trap 147
  driver_.nowayout = true;
  auto watchdog = make();
  watchdog.renewed(timing_, lease_end());
  pass(seconds(3));
  const auto facts = watchdog.stop();
  EXPECT_EQ(facts.resets_at, TestDriver::now + seconds(25));  // the attempt was a last word
  EXPECT_EQ(driver_.resets_at, facts.resets_at);
}

TEST_F(WatchdogTest, RequiredRefusesADeviceThatFiresTooLate) {
  driver_.options &= ~static_cast<std::uint32_t>(WDIOF_SETTIMEOUT);
  auto watchdog = make();
  EXPECT_EQ(watchdog.renewed(timing_, lease_end()).state, WatchdogState::failed);
  EXPECT_FALSE(driver_.resets_at);
  EXPECT_EQ(driver_.opened, 0);
}

TEST_F(WatchdogTest, AutomaticTakesSuchADeviceWithAWarning) {
  settings_.mode = WatchdogMode::automatic;
  driver_.options &= ~static_cast<std::uint32_t>(WDIOF_SETTIMEOUT);
  auto watchdog = make();
  const auto facts = watchdog.renewed(timing_, lease_end());
  EXPECT_EQ(facts.state, WatchdogState::active);
  EXPECT_EQ(facts.resets_at, TestDriver::now + seconds(60));
}

TEST_F(WatchdogTest, TimeoutThatTheDriverDidNotTakeIsNoticed) {
  driver_.timeout_max = 20;
  driver_.timeout = 20;
  auto watchdog = make();
  EXPECT_EQ(watchdog.renewed(timing_, lease_end()).resets_at, TestDriver::now + seconds(20));
  driver_.timeout = 8;
  auto short_one = make();
  watchdog.stop();
  EXPECT_EQ(short_one.renewed(timing_, lease_end()).state, WatchdogState::failed);
  EXPECT_FALSE(driver_.resets_at);
}

TEST_F(WatchdogTest, RefusedTimingOpensNothing) {
  timing_.ttl = seconds(16);
  auto watchdog = make();
  EXPECT_EQ(watchdog.check(timing_).state, WatchdogState::failed);
  EXPECT_EQ(watchdog.renewed(timing_, lease_end()).state, WatchdogState::failed);
  EXPECT_EQ(driver_.opened, 0);
  timing_.ttl = seconds(30);
  EXPECT_EQ(watchdog.check(timing_).state, WatchdogState::ready);
}

TEST_F(WatchdogTest, OtherTimingSetsARunningDeviceAnew) {
  auto watchdog = make();
  watchdog.renewed(timing_, lease_end());
  timing_.ttl = seconds(20);
  EXPECT_EQ(watchdog.renewed(timing_, lease_end(seconds(20))).resets_at,
            TestDriver::now + seconds(15));
  EXPECT_EQ(driver_.timeout, 15);
}

TEST_F(WatchdogTest, MissingDeviceFailsTheCheck) {
  settings_.device = "/nowhere/watchdog";
  EXPECT_EQ(make().check(timing_).state, WatchdogState::failed);
}

TEST_F(WatchdogTest, BusyDeviceIsTriedAgainAFewTimes) {
  driver_.is_busy = true;
  auto watchdog = make();
  watchdog.check(timing_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(watchdog.renewed(timing_, lease_end()).state, WatchdogState::ready);
  }
  EXPECT_EQ(watchdog.renewed(timing_, lease_end()).state, WatchdogState::failed);
}

TEST_F(WatchdogTest, DeviceThatTakesNoWordIsGivenUpAndStopped) {
  auto watchdog = make();
  watchdog.renewed(timing_, lease_end());
  driver_.is_broken = true;
  const auto facts = watchdog.renewed(timing_, lease_end());
  EXPECT_EQ(facts.state, WatchdogState::failed);
  EXPECT_FALSE(driver_.resets_at);
}

TEST_F(WatchdogTest, SwitchedOffNothingIsTouched) {
  settings_.mode = WatchdogMode::off;
  auto watchdog = make();
  EXPECT_EQ(watchdog.check(timing_).state, WatchdogState::off);
  EXPECT_EQ(watchdog.renewed(timing_, lease_end()).state, WatchdogState::off);
  EXPECT_EQ(driver_.opened, 0);
}

TEST(PlainTextDevice, WritesLinesInsteadOfIoctls) {
  const auto folder = std::filesystem::temp_directory_path() / "tanist-watchdog-test";
  std::filesystem::create_directories(folder);
  const auto path = (folder / "device").string();
  ASSERT_TRUE(os::replace_file(path, "", 0600));
  WatchdogSettings settings{.mode = WatchdogMode::required, .device = path, .plain_text = true};
  TestDriver::now = Instant(seconds(1000));
  Watchdog watchdog(settings, test_now);
  EXPECT_EQ(watchdog.renewed({}, TestDriver::now + seconds(30)).state, WatchdogState::active);
  watchdog.stop();
  EXPECT_EQ(*os::read_file(path), "timeout 25\n1V");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tanist::watchdog
