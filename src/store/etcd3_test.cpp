// SPDX-License-Identifier: Apache-2.0
// The whole store against real etcd: everything that a model could get wrong.
#include "store/etcd3.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>

#include "store/test_etcd.h"

namespace tanist::store {

namespace {

using test::TestEtcd;

// A store and the loop it lives on; the test runs the loop while it waits.
class TestStore {
 public:
  explicit TestStore(StoreSettings settings)
      : store_(make_etcd3_store(
            std::move(settings), loop_.get_executor(),
            {.view = [this](ClusterViewPtr view) { view_ = std::move(view); },
             .health =
                 [this](const StoreHealth& health) {
                   health_ = health;
                   warnings_.insert(warnings_.end(), health.warnings.begin(),
                                    health.warnings.end());
                 },
             .finished =
                 [this](EffectId id, StoreResult result) {
                   EXPECT_FALSE(results_.contains(id)) << "finished twice";
                   results_.emplace(id, std::move(result));
                 },
             .unanswered = [this](EffectId) { ++unanswered_; }})) {}

  EffectId start(StoreAction action, Duration limit = seconds(10)) {
    const EffectId id(++last_id_);
    store_->start(id, std::move(action), os::now() + limit);
    return id;
  }
  StoreResult wait(EffectId id, Duration limit = seconds(15)) {
    EXPECT_TRUE(run_until([&] { return results_.contains(id); }, limit)) << "no result";
    return results_[id];
  }
  StoreResult perform(StoreAction action, Duration limit = seconds(10)) {
    return wait(start(std::move(action), limit), limit + seconds(5));
  }
  bool run_until(const std::function<bool()>& condition, Duration limit = seconds(20)) {
    const auto end = os::now() + limit;
    while (!condition()) {
      if (os::now() >= end) return false;
      loop_.restart();
      loop_.run_one_for(milliseconds(20));
    }
    return true;
  }
  void run_for(Duration time) {
    const auto end = os::now() + time;
    run_until([&] { return os::now() >= end; }, time + seconds(5));
  }

  Store& store() { return *store_; }
  const ClusterViewPtr& view() const { return view_; }
  const StoreHealth& health() const { return health_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  int unanswered() const { return unanswered_; }
  bool view_current() {
    return run_until([&] { return view_ && health_.view_current; });
  }

 private:
  boost::asio::io_context loop_{1};
  ClusterViewPtr view_;
  StoreHealth health_;
  std::vector<std::string> warnings_;
  std::map<EffectId, StoreResult> results_;
  int unanswered_ = 0;
  std::uint64_t last_id_ = 0;
  std::unique_ptr<Store> store_;
};

TEST(Etcd3Store, TakesKeepsAndReleasesTheLock) {
  TestEtcd etcd;
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.view_current()) << etcd.log();

  const auto taken = store.perform(TakeLock{.ttl = seconds(10)});
  ASSERT_EQ(taken.verdict, StoreVerdict::done) << taken.detail;
  EXPECT_TRUE(store.view()->locked_by(MemberName("n1")));

  const auto kept = store.perform(KeepLock{*taken.reign, R"({"optime":1})"});
  ASSERT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
  EXPECT_GT(*kept.lease_until, *taken.lease_until);
  EXPECT_EQ(store.view()->optime(), Lsn(1));

  const auto released = store.perform(
      ReleaseLock{*taken.reign, R"({"optime":2})", R"({"role":"demoted","tanist":"0.1"})"});
  ASSERT_EQ(released.verdict, StoreVerdict::done) << released.detail;
  EXPECT_FALSE(store.view()->locked());
  ASSERT_TRUE(store.view()->lost_leader);
  EXPECT_TRUE(store.view()->lost_leader->released);
}

}  // namespace

}  // namespace tanist::store
