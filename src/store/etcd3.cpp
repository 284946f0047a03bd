// SPDX-License-Identifier: Apache-2.0
// The driver as a Store.
#include "store/etcd3.h"

#include <random>
#include <utility>

#include "store/etcd3_driver.h"

namespace tanist::store {

namespace {

class Etcd3Store final : public Store {
 public:
  Etcd3Store(MachineOptions options, boost::asio::any_io_executor loop, StoreEvents events)
      : driver_(std::move(options), std::move(loop), std::move(events)) {}

  void start(EffectId id, StoreAction action, Instant until) override {
    driver_.start({id, std::move(action), until});
  }
  void cancel(EffectId id) override { driver_.cancel(id); }
  void set_credentials(std::string user, Secret password) override {
    driver_.set_credentials(std::move(user), std::move(password));
  }
  void shut_down() override { driver_.shut_down(); }

 private:
  Etcd3Driver driver_;
};

}  // namespace

std::unique_ptr<Store> make_etcd3_store(StoreSettings settings, boost::asio::any_io_executor loop,
                                        StoreEvents events) {
  return std::make_unique<Etcd3Store>(
      MachineOptions{std::move(settings), std::random_device{}(), true}, std::move(loop),
      std::move(events));
}

}  // namespace tanist::store
