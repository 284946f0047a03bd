// SPDX-License-Identifier: Apache-2.0
// Runs an event loop of its own around the etcd driver until the one answer is there.
#include "store/client.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <random>
#include <utility>

#include "os/clock.h"
#include "store/etcd3_driver.h"

namespace tanist::store {

class Client::Impl {
 public:
  explicit Impl(StoreSettings settings)
      : driver_(
            {std::move(settings), std::random_device{}(), false}, loop_.get_executor(),
            {.finished = [this](EffectId, StoreResult result) { answer_ = std::move(result); }}) {}

  Result<StoreResult> ask(StoreAction action, Duration limit) {
    return ask_any({EffectId(++last_id_), std::move(action), os::now() + limit});
  }
  Result<StoreResult> remove_cluster(Duration limit) {
    return ask_any({EffectId(++last_id_), RemoveCluster{}, os::now() + limit});
  }

 private:
  Result<StoreResult> ask_any(StartAction action) {
    answer_.reset();
    driver_.start(std::move(action));
    while (!answer_) loop_.run_one();
    if (answer_->verdict == StoreVerdict::done) return std::move(*answer_);
    const bool refused = answer_->verdict == StoreVerdict::refused;
    return fail(refused ? Errc::refused : Errc::unavailable, "{}", answer_->detail);
  }

  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(loop_);
  std::optional<StoreResult> answer_;
  std::uint64_t last_id_ = 0;
  Etcd3Driver driver_;
};

Client::Client(StoreSettings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Client::~Client() = default;

Result<ClusterViewPtr> Client::read(Duration limit) {
  auto result = impl_->ask(ReadCluster{}, limit);
  if (!result) return pass_on(result.error());
  return result->view;
}

Result<Revision> Client::commit(Commit commit, Duration limit) {
  auto result = impl_->ask(std::move(commit), limit);
  if (!result) return pass_on(result.error());
  return result->revision;
}

Result<void> Client::remove_cluster(Duration limit) {
  auto result = impl_->remove_cluster(limit);
  if (!result) return pass_on(result.error());
  return {};
}

}  // namespace tanist::store
