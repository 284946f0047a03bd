// SPDX-License-Identifier: Apache-2.0
// Choice and duration of faults.
#include "sim/faults.h"

#include <algorithm>

#include "base/assert.h"

namespace tanist::sim {

namespace {

template <class... Lists>
auto joined(Lists... lists) {
  auto all = std::vector<typename std::common_type_t<Lists...>::value_type>{};
  (all.insert(all.end(), lists.begin(), lists.end()), ...);
  return all;
}

}  // namespace

Faults::Faults(Cluster& cluster, Checks& checks, const std::vector<std::string>& only)
    : world_(cluster.world()), cluster_(cluster), checks_(checks), chance_(world_.chance().fork()) {
  kinds_ =
      joined(process_faults(), machine_faults(), network_faults(), store_faults(), operators());
  if (only.empty()) {
    mix();
  } else {
    keep_only(only);
  }
}

// Each run has its own mixture: some kinds often, some never.
void Faults::mix() {
  for (auto& kind : kinds_) {
    if (chance_.one_in(3)) kind.weight *= 4;
    if (chance_.one_in(4)) kind.weight = 0;
  }
}

void Faults::keep_only(const std::vector<std::string>& names) {
  for (auto& kind : kinds_) kind.weight = 0;
  for (auto name : names) {
    std::ranges::replace(name, '-', ' ');
    const auto at = std::ranges::find(kinds_, name, &Kind::name);
    TANIST_REQUIRE(at != kinds_.end());  // the caller named a kind that there is not
    ++at->weight;
  }
}

void Faults::begin(Duration interval) {
  begun_ = true;
  interval_ = interval;
  if (on_change) on_change();
  plan_next();
}

void Faults::plan_next() {
  world_.after(chance_.between(interval_ / 10, 2 * interval_), [this] {
    if (over_) return;
    strike();
    plan_next();
  });
}

void Faults::strike() {
  int all = 0;
  for (const auto& kind : kinds_) all += kind.weight;
  if (all == 0) return;
  auto left = static_cast<int>(chance_.below(static_cast<std::uint64_t>(all)));
  for (const auto& kind : kinds_) {
    left -= kind.weight;
    if (left >= 0) continue;
    if (on_change) on_change();
    if (kind.strike()) ++counts_[kind.name];
    return;
  }
}

void Faults::lasts(Duration least, Duration most, std::function<void()> end) {
  const auto id = ++last_id_;
  lasting_[id] = std::move(end);
  world_.after(chance_.between(least, most), [this, id] {
    const auto at = lasting_.find(id);
    if (at == lasting_.end()) return;
    const auto end_it = std::move(at->second);
    lasting_.erase(at);
    if (on_change) on_change();
    end_it();
  });
}

void Faults::heal() {
  over_ = true;
  if (on_change) on_change();
  world_.tell("faults", "everything is healed");
  while (!lasting_.empty()) {
    const auto end = std::move(lasting_.begin()->second);
    lasting_.erase(lasting_.begin());
    end();
  }
  for (const auto& node : cluster_.nodes()) node->start_agent();
  resume();
  mend_by_hand();
}

void Faults::mend_by_hand() {
  if (begun_ && !over_) return;
  empty_foreign_data();
  copy_anew_what_is_broken();
  fail_over_again();
  world_.after(seconds(5), [this] { mend_by_hand(); });
}

// What a bootstrap left that died, while another node's succeeded: no agent touches it (contract
// ha, invariant 21), people do.
void Faults::empty_foreign_data() {
  const auto* initialize = cluster_.key("initialize");
  if (initialize == nullptr || initialize->value.empty()) return;
  for (const auto& node : cluster_.nodes()) {
    auto& data = node->server.data();
    const bool foreign =
        data.kind == DataDirectory::present && data.system_id.value() != initialize->value;
    if (!foreign) continue;
    node->server.kill();
    world_.tell(node->name(), "operator: empties the data directory of another cluster");
    data = DataFolder{};
  }
}

Node& Faults::any_node() { return *cluster_.nodes()[chance_.index(cluster_.nodes().size())]; }

Node& Faults::likely_leader() {
  auto* leader = cluster_.find(cluster_.leader());
  return leader == nullptr || chance_.one_in(3) ? any_node() : *leader;
}

// ---- Machines --------------------------------------------------------------------------------

std::vector<Faults::Kind> Faults::machine_faults() {
  const auto crash = [this] {
    auto& node = likely_leader();
    if (!node.up()) return false;
    crash_machine(node);
    return true;
  };
  const auto freeze = [this] {
    auto& node = likely_leader();
    if (!node.up() || node.frozen()) return false;
    freeze_machine(node);
    return true;
  };
  const auto fill = [this] { return fill_disk(); };
  return {{"crash machine", 3, crash},
          {"power failure", 1, [this] { return fail_power(); }},
          {"freeze machine", 2, freeze},
          {"disk full", 1, fill}};
}

// All machines at once; each comes back in its own time.
bool Faults::fail_power() {
  for (const auto& node : cluster_.nodes()) {
    if (node->up()) crash_machine(*node);
  }
  return true;
}

// Until somebody makes space.
bool Faults::fill_disk() {
  auto& node = likely_leader();
  node.fill_disk();
  lasts(seconds(1), seconds(60), [&node] { node.free_disk(); });
  return true;
}

void Faults::crash_machine(Node& node) {
  node.crash();
  lasts(seconds(1), seconds(40), [&node] { node.boot(); });
}

void Faults::freeze_machine(Node& node) {
  node.freeze(chance_.one_in(2));
  lasts(milliseconds(100), seconds(40), [&node] { node.thaw(); });
}

}  // namespace tanist::sim
