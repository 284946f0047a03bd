// SPDX-License-Identifier: Apache-2.0
// The loop's side of the watchdog, with driver `testing`: what reaches the device, the guard and
// the loop, in which order.
#include "agent/watchdog_keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "os/clock.h"
#include "os/file.h"
#include "os/run_loop.h"

namespace tanist::agent {
namespace {

constexpr Timing usual{seconds(30), seconds(10), seconds(10)};

class WatchdogKeeperTest : public testing::Test {
 protected:
  WatchdogKeeperTest() {
    std::filesystem::create_directories(folder_);
    EXPECT_TRUE(os::replace_file(device(), "", 0600));
    settings_.mode = WatchdogMode::required;
    settings_.device = device();
    settings_.plain_text = true;
  }
  ~WatchdogKeeperTest() override { std::filesystem::remove_all(folder_); }

  std::string device() const { return (folder_ / "device").string(); }
  std::string told() const { return os::read_file(device()).value_or("?"); }

  // Runs until the loop has been told of the state.
  void await(WatchdogState state) {
    const auto end = os::now() + seconds(10);
    while (facts_.state != state && os::now() < end) {
      loop_.restart();
      loop_.run_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(facts_.state, state);
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("tanist-keeper-test-" + std::to_string(getpid()));
  boost::asio::io_context loop_;
  os::DiskPool disk_;
  WatchdogSettings settings_;
  WatchdogFacts facts_;
  std::vector<bool> lent_;
  std::shared_ptr<WatchdogKeeper> keeper_ = std::make_shared<WatchdogKeeper>(
      loop_.get_executor(), disk_,
      WatchdogKeeper::Hooks{.lend = [this](int fd) { lent_.push_back(fd >= 0); },
                            .changed = [this](const WatchdogFacts& facts) { facts_ = facts; }});
};

TEST_F(WatchdogKeeperTest, DeviceStartsWithTheFirstProofAndIsLentToTheGuard) {
  keeper_->use(settings_, usual);
  await(WatchdogState::ready);
  EXPECT_EQ(told(), "");
  keeper_->renewed(usual, os::now() + seconds(30));
  await(WatchdogState::active);
  EXPECT_EQ(told(), "timeout 25\n1");
  EXPECT_EQ(lent_, std::vector<bool>{true});
  EXPECT_GT(*facts_.resets_at, os::now() + seconds(20));
}

TEST_F(WatchdogKeeperTest, SameProofIsToldOnce) {
  keeper_->use(settings_, usual);
  const auto lease_end = os::now() + seconds(30);
  keeper_->renewed(usual, lease_end);
  await(WatchdogState::active);
  keeper_->renewed(usual, lease_end);
  keeper_->stop();
  await(WatchdogState::ready);
  EXPECT_EQ(told(), "timeout 25\n1V");
  EXPECT_EQ(lent_, (std::vector<bool>{true, false}));
  EXPECT_FALSE(facts_.resets_at);
}

TEST_F(WatchdogKeeperTest, StopIsCarriedOutAfterAllThatWasOrderedBefore) {
  keeper_->use(settings_, usual);
  keeper_->renewed(usual, os::now() + seconds(30));
  keeper_->stop();
  await(WatchdogState::ready);
  loop_.restart();
  loop_.run();
  EXPECT_EQ(told(), "timeout 25\n1V");
}

TEST_F(WatchdogKeeperTest, OtherSettingsStopTheDeviceOfTheOldOnes) {
  keeper_->use(settings_, usual);
  keeper_->renewed(usual, os::now() + seconds(30));
  await(WatchdogState::active);
  settings_.mode = WatchdogMode::off;
  keeper_->use(settings_, usual);
  await(WatchdogState::off);
  EXPECT_EQ(told(), "timeout 25\n1V");
}

TEST_F(WatchdogKeeperTest, RefusedTimingIsFoundRightWhenItChanges) {
  const Timing short_one{seconds(16), seconds(10), seconds(3)};
  keeper_->use(settings_, short_one);
  await(WatchdogState::failed);
  keeper_->use(settings_, usual);
  await(WatchdogState::ready);
}

TEST_F(WatchdogKeeperTest, EndStopsTheDeviceOnlyWithoutAServer) {
  keeper_->use(settings_, usual);
  keeper_->renewed(usual, os::now() + seconds(30));
  await(WatchdogState::active);
  keeper_->leave(false);
  EXPECT_EQ(told(), "timeout 25\n1");
  keeper_->leave(true);
  EXPECT_EQ(told(), "timeout 25\n1V");
}

}  // namespace
}  // namespace tanist::agent
