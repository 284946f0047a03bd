// SPDX-License-Identifier: Apache-2.0
// Puts the parts together: hands inputs to them, outcomes of calls to their owners, and gathers
// what came of it. Pure; one owner.
#include "store/etcd3_machine.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/assert.h"
#include "store/etcd3_lease.h"
#include "store/etcd3_lock.h"
#include "store/etcd3_operation.h"
#include "store/etcd3_renewal.h"
#include "store/etcd3_upkeep.h"
#include "store/etcd3_view.h"
#include "store/etcd3_write.h"

namespace tanist::store {

namespace {

// ReadCluster.
class ClusterReading {
 public:
  std::optional<StoreResult> start(Context& context) {
    const auto& paths = context.paths();
    context.begin(wire::RangeRequest{paths.prefix(), paths.range_end()}, Repeat::while_time_lasts,
                  context.until);
    return std::nullopt;
  }
  std::optional<StoreResult> done(Context& context, const Outcome& outcome) {
    const auto* answer = outcome.answer<wire::RangeAnswer>();
    if (answer == nullptr) return failed_result(outcome.result.error());
    context.cache.replace(stored_keys(answer->kvs), answer->header.revision);
    return StoreResult{.verdict = StoreVerdict::done,
                       .revision = answer->header.revision,
                       .view = context.cache.view()};
  }
};

using Operation = std::variant<LeaseKeeping, LeaseQuestion, LockTaking, LockRenewal, LockMove,
                               Write, ClusterReading>;

struct Planner {
  const Context& context;

  Operation operator()(const KeepLease& action) const { return LeaseKeeping(action); }
  Operation operator()(const AskLease& action) const { return LeaseQuestion(action); }
  Operation operator()(const TakeLock& action) const { return LockTaking(action); }
  Operation operator()(const KeepLock& action) const { return LockRenewal(action); }
  Operation operator()(const ReattachLock& action) const { return LockMove(action); }
  Operation operator()(const ReadCluster&) const { return ClusterReading(); }
  Operation operator()(const RemoveCluster&) const { return Write(plan_removal(context)); }
  Operation operator()(const StoreAction& action) const { return std::visit(*this, action); }
  template <class WriteAction>
  Operation operator()(const WriteAction& action) const {
    return Write(plan(context, action));
  }
};

struct Running {
  Instant until;
  Operation operation;
};

template <class T>
concept Ticks = requires(T operation, Context& context) {
  operation.tick(context);
  operation.wake_at();
};

}  // namespace

class Etcd3Machine::Parts {
 public:
  explicit Parts(MachineOptions options)
      : follow_(options.follow),
        self_(options.settings.name),
        calls_(Endpoints(options.settings.endpoints, options.seed),
               Tokens(options.settings.username, options.settings.password), options.seed),
        cache_(KeyPaths(options.settings.namespace_, options.settings.scope),
               std::move(options.readers)),
        upkeep_(!options.settings.fixed_endpoints, options.settings.use_tls) {
    calls_.set_ttl(options.settings.ttl_initial);
  }

  Outputs start(Instant now) {
    Step step{now, {}, {}};
    if (follow_) {
      keeper_.start({step, calls_, cache_});
      upkeep_.start(step, calls_);
    }
    return finish(step);
  }

  Outputs step(Input input, Instant now) {
    Step step{now, {}, {}};
    std::visit([&](auto&& each) { take(step, std::forward<decltype(each)>(each)); },
               std::move(input));
    settle(step);
    tick(step);
    return finish(step);
  }

 private:
  // ---- inputs ----
  void take(Step& step, StartAction input) {
    TANIST_REQUIRE(!running_.contains(input.id));
    auto context = context_of(step, input.id, input.until);
    auto operation = std::visit(Planner{context}, std::move(input.action));
    auto& running =
        running_.emplace(input.id, Running{input.until, std::move(operation)}).first->second;
    auto result = std::visit([&](auto& each) { return each.start(context); }, running.operation);
    if (result) end(step, input.id, std::move(*result));
  }
  void take(Step& step, const CancelAction& input) {
    if (running_.contains(input.id)) end(step, input.id, unknown_result("cancelled"));
  }
  void take(Step& step, RpcAnswered input) { calls_.answered(step, std::move(input)); }
  void take(Step& step, const WatchSaid& input) { keeper_.said({step, calls_, cache_}, input); }
  void take(Step& step, const WatchEnded& input) { keeper_.ended({step, calls_, cache_}, input); }
  void take(Step&, const TimerRang&) {}
  void take(Step& step, NewCredentials input) {
    calls_.replace_credentials(step, std::move(input.user), std::move(input.password));
  }
  void take(Step& step, const Resolved& input) { upkeep_.resolved(step, calls_, input.addresses); }

  // ---- operations ----
  Context context_of(Step& step, EffectId id, Instant until) {
    return {step, calls_, cache_, lease_, self_, view_in_doubt_, {Owner::Part::action, id}, until};
  }

  void end(Step& step, EffectId id, StoreResult result) {
    calls_.drop_all(step, {Owner::Part::action, id});
    running_.erase(id);
    step.say(Finished{id, std::move(result)});
  }

  void dispatch(Step& step, const Outcome& outcome) {
    const auto at = running_.find(outcome.owner.effect);
    if (at == running_.end()) return;
    auto context = context_of(step, at->first, at->second.until);
    auto result =
        std::visit([&](auto& each) { return each.done(context, outcome); }, at->second.operation);
    if (result) end(step, outcome.owner.effect, std::move(*result));
  }

  void start_over_if_replaced(Step& step) {
    if (!calls_.take_replaced()) return;
    step.warn("the etcd cluster has been replaced: everything is read anew");
    if (follow_) keeper_.start_over({step, calls_, cache_});
  }

  // Hands out every outcome, those included that the handling itself brings about.
  void settle(Step& step) {
    start_over_if_replaced(step);
    while (auto outcome = calls_.next_outcome()) {
      switch (outcome->owner.part) {
        case Owner::Part::action: dispatch(step, *outcome); break;
        case Owner::Part::view: keeper_.done({step, calls_, cache_}, *outcome); break;
        case Owner::Part::upkeep: upkeep_.done(step, calls_, *outcome); break;
        case Owner::Part::tokens: break;
      }
    }
  }

  void tick_operations(Step& step) {
    if (running_.empty()) return;
    std::vector<EffectId> ids;
    for (const auto& [id, running] : running_) ids.push_back(id);
    for (const auto id : ids) {
      auto& running = running_.at(id);
      auto context = context_of(step, id, running.until);
      const auto tick = [&]<class T>(T& operation) -> std::optional<StoreResult> {
        if constexpr (Ticks<T>) return operation.tick(context);
        return std::nullopt;
      };
      auto result = std::visit(tick, running.operation);
      if (!result && running.until <= step.now) result = unknown_result("the time is up");
      if (result) end(step, id, std::move(*result));
    }
  }

  void tick(Step& step) {
    calls_.tick(step);
    settle(step);
    tick_operations(step);
    settle(step);
    if (!follow_) return;
    if (calls_.take_all_failed()) upkeep_.hurry(step.now);
    upkeep_.tick(step, calls_);
    if (std::exchange(view_in_doubt_, false)) keeper_.rebuild({step, calls_, cache_});
    keeper_.compare_with_answers({step, calls_, cache_});
    keeper_.tick({step, calls_, cache_});
    settle(step);
  }

  // ---- outputs ----
  Outputs finish(Step& step) {
    if (follow_) report(step);
    Outputs outputs{std::move(step.out), wake_at()};
    TANIST_REQUIRE(outputs.wake_at > step.now);
    return outputs;
  }

  void report(Step& step) {
    if (keeper_.has_view() && cache_.view() != shown_view_) {
      shown_view_ = cache_.view();
      step.say(ViewChanged{shown_view_});
    }
    StoreHealth health{.view_current = keeper_.is_current(),
                       .election_timeout = upkeep_.election_timeout(),
                       .warnings = {},
                       .trouble = {}};
    if (!health.view_current) health.trouble = calls_.last_trouble();
    const bool changed = health != shown_health_;
    shown_health_ = health;
    for (auto& text : step.warnings) {
      if (said_.insert(text).second) health.warnings.push_back(std::move(text));
    }
    if (changed || !health.warnings.empty()) step.say(HealthChanged{std::move(health)});
  }

  Instant wake_at() const {
    auto earliest = calls_.wake_at();
    for (const auto& [id, running] : running_) {
      const auto wake = [](const auto& operation) {
        if constexpr (Ticks<std::remove_cvref_t<decltype(operation)>>) return operation.wake_at();
        return Instant::max();
      };
      earliest = std::min({earliest, running.until, std::visit(wake, running.operation)});
    }
    if (!follow_) return earliest;
    return std::min({earliest, keeper_.wake_at(), upkeep_.wake_at()});
  }

  bool follow_;
  MemberName self_;
  Calls calls_;
  ClusterCache cache_;
  OwnLease lease_;
  ViewKeeper keeper_;
  Upkeep upkeep_;
  bool view_in_doubt_ = false;
  std::map<EffectId, Running> running_;
  ClusterViewPtr shown_view_;
  StoreHealth shown_health_;
  std::set<std::string> said_;
};

Etcd3Machine::Etcd3Machine(MachineOptions options)
    : parts_(std::make_unique<Parts>(std::move(options))) {}
Etcd3Machine::Etcd3Machine(Etcd3Machine&&) noexcept = default;
Etcd3Machine& Etcd3Machine::operator=(Etcd3Machine&&) noexcept = default;
Etcd3Machine::~Etcd3Machine() = default;

Outputs Etcd3Machine::start(Instant now) { return parts_->start(now); }
Outputs Etcd3Machine::step(Input input, Instant now) { return parts_->step(std::move(input), now); }

}  // namespace tanist::store
