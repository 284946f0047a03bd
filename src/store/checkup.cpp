// SPDX-License-Identifier: Apache-2.0
// One driver for each endpoint and one transport for their versions, on an event loop of their own.
#include "store/checkup.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>
#include <utility>

#include "base/format.h"
#include "os/clock.h"
#include "store/etcd3_driver.h"
#include "store/etcd3_endpoints.h"
#include "store/etcd3_upkeep.h"

namespace tanist::store {

namespace {

// After the last read: versions and the election timeout come at about the same time.
constexpr Duration rest_limit = seconds(1);

class Checkup {
 public:
  explicit Checkup(const StoreSettings& settings)
      : transport_(settings, loop_.get_executor(), [this](const Input& input) { take(input); }) {
    for (const auto& endpoint : settings.endpoints) {
      auto one = settings;
      one.endpoints = {endpoint};
      one.fixed_endpoints = true;
      one.srv_domain.clear();
      auto& asked = asked_.emplace_back(std::make_unique<Asked>());
      asked->report.address = address_of(endpoint);
      asked->report.trouble = "no answer";
      asked->driver = std::make_unique<Etcd3Driver>(
          MachineOptions{std::move(one), std::random_device{}(), true}, loop_.get_executor(),
          events_of(*asked));
    }
  }

  StoreReport run(Duration limit) {
    const auto begin = os::now();
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      asked_[i]->begun = begin;
      asked_[i]->driver->start({EffectId(1), ReadCluster{}, begin + limit});
      transport_.send(
          {RpcId(i + 1), asked_[i]->report.address, wire::StatusRequest{}, begin + limit, {}},
          begin);
    }
    run_until(begin + limit + rest_limit, [this] {
      return std::ranges::all_of(asked_, [](const auto& asked) { return asked->is_read; });
    });
    run_until(os::now() + rest_limit, [this] { return is_complete(); });
    StoreReport report{.election_timeout = election_timeout_};
    for (auto& asked : asked_) report.endpoints.push_back(std::move(asked->report));
    return report;
  }

 private:
  struct Asked {
    EndpointReport report;
    Instant begun;
    bool is_read = false;
    bool has_version = false;
    std::unique_ptr<Etcd3Driver> driver;
  };

  StoreEvents events_of(Asked& asked) {
    return {.view = [](const ClusterViewPtr&) {},
            .health =
                [this](const StoreHealth& health) {
                  election_timeout_ = std::max(election_timeout_, health.election_timeout);
                },
            .finished =
                [&asked](EffectId, const StoreResult& result) {
                  asked.is_read = true;
                  asked.report.answered_in = os::now() - asked.begun;
                  asked.report.trouble =
                      result.verdict == StoreVerdict::done ? std::string() : result.detail;
                },
            .unanswered = [](EffectId) {}};
  }

  void take(const Input& input) {
    const auto* answered = std::get_if<RpcAnswered>(&input);
    if (answered == nullptr) return;
    auto& asked = *asked_.at(answered->id.value() - 1);
    asked.has_version = true;
    if (!answered->result) return;
    const auto* status = std::get_if<wire::StatusAnswer>(&*answered->result);
    if (status == nullptr) return;
    asked.report.version = status->version;
    auto warning = warning_about_version(status->version);
    if (!warning.empty()) asked.report.warnings.push_back(std::move(warning));
    for (const auto& error : status->errors) {
      asked.report.warnings.push_back(format_text("etcd reports {}", error));
    }
  }

  bool is_complete() const {
    const bool somebody_answers =
        std::ranges::any_of(asked_, [](const auto& asked) { return asked->report.answers(); });
    return (!somebody_answers || election_timeout_ > Duration(0)) &&
           std::ranges::all_of(asked_, [](const auto& asked) { return asked->has_version; });
  }

  template <class Condition>
  void run_until(Instant end, const Condition& condition) {
    while (!condition() && os::now() < end) loop_.run_one_for(milliseconds(20));
  }

  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(loop_);
  std::vector<std::unique_ptr<Asked>> asked_;
  Duration election_timeout_{0};
  Etcd3Transport transport_;
};

}  // namespace

StoreReport check_endpoints(const StoreSettings& settings, Duration limit) {
  return Checkup(settings).run(limit);
}

}  // namespace tanist::store
