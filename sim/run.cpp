// SPDX-License-Identifier: Apache-2.0
// The course of a run.
#include "sim/run.h"

#include <algorithm>

#include "sim/faults.h"

namespace tanist::sim {

namespace {

// At most one node that may not lead, so that there always is somebody.
std::vector<Tree> tags_of(int nodes, Random& chance) {
  static const std::vector<Tree> choices{
      Tree::map({{"nofailover", true}}), Tree::map({{"nosync", true}}),
      Tree::map({{"failover_priority", 2}}), Tree::map({{"sync_priority", 2}}),
      Tree::map({{"failover_priority", 0}, {"nosync", true}})};
  if (nodes < 3 || !chance.one_in(3)) return {};
  return {chance.of(choices)};
}

ClusterOptions options_of(const RunOptions& options, Random& chance) {
  static const std::vector<Timing> timings{{seconds(5), seconds(1), seconds(2)},
                                           {seconds(10), seconds(2), seconds(4)},
                                           {seconds(20), seconds(5), seconds(5)},
                                           {seconds(30), seconds(10), seconds(10)}};
  ClusterOptions cluster;
  static const std::vector<int> sizes{1, 2, 3, 3, 3, 3, 4, 5};
  const int by_seed = chance.of(sizes);
  cluster.nodes = options.nodes != 0 ? options.nodes : by_seed;
  cluster.timing = chance.of(timings);
  cluster.lag_bytes_max_on_failover = chance.one_in(2) ? 1048576 : 2000;
  static const std::vector<std::string> modes{"off", "off", "on", "quorum"};
  cluster.synchronous_mode = chance.of(modes);
  cluster.synchronous_mode_strict = cluster.nodes > 1 && chance.one_in(3);
  cluster.synchronous_node_count = chance.one_in(3) ? 2 : 1;
  cluster.failsafe_mode = chance.one_in(4);
  cluster.standby_cluster = chance.one_in(8);
  if (chance.one_in(4)) {
    cluster.wal_limits = {.kept = 4000 + chance.below(20'000), .slot_max = chance.below(60'000)};
  }
  cluster.tags = tags_of(cluster.nodes, chance);
  if (options.synchronous_mode) cluster.synchronous_mode = *options.synchronous_mode;
  if (options.failsafe_mode) cluster.failsafe_mode = *options.failsafe_mode;
  if (options.standby_cluster) cluster.standby_cluster = *options.standby_cluster;
  // Without a draw, so that other seeds' runs stay what they were.
  cluster.pooler = options.pooler.value_or(options.seed % 4 == 1);
  const auto with_ttl = [&](const Timing& timing) { return timing.ttl.count() == options.ttl; };
  const auto chosen = std::ranges::find_if(timings, with_ttl);
  if (chosen != timings.end()) cluster.timing = *chosen;
  return cluster;
}

// When a cluster without faults has to be well: leases run out, elections, recovery, copies.
Duration healing_time(const ClusterOptions& options) {
  return seconds(90) + 4 * options.timing.ttl + 6 * options.timing.loop_wait;
}

void start_nodes(Cluster& cluster, Random& chance) {
  for (const auto& node : cluster.nodes()) {
    cluster.world().after(chance.between(milliseconds(10), seconds(3)),
                          [at = node.get()] { at->start_agent(); });
  }
}

// Runs until the cluster is well; false after `limit`.
bool becomes_well(World& world, Checks& checks, Duration limit) {
  const auto end = world.now() + limit;
  while (!world.stopped() && world.now() < end) {
    world.run_until(world.now() + milliseconds(250));
    if (checks.ailment().empty()) return true;
  }
  return false;
}

struct Course {
  World& world;
  Cluster& cluster;
  Checks& checks;
  Faults& faults;
};

std::optional<Violation> live(const Course& course, const RunOptions& options, double* healing) {
  auto& [world, cluster, checks, faults] = course;
  const auto limit = healing_time(cluster.options());
  auto chance = world.chance().fork();
  const bool patient = !chance.one_in(4);  // else faults begin before there is a cluster
  if (patient) faults.mend_by_hand();
  if (patient && !becomes_well(world, checks, limit)) {
    if (checks.violation()) return checks.violation();
    return Violation{"the cluster does not come up", checks.ailment()};
  }
  const auto interval = chance.between(seconds(2), seconds(20));
  faults.begin(options.fault_interval ? Duration(seconds(*options.fault_interval)) : interval);
  world.run_until(world.now() + seconds(options.seconds_of_trouble));
  if (checks.violation()) return checks.violation();
  faults.heal();
  const auto healed_at = world.now();
  const bool well = becomes_well(world, checks, limit);
  *healing = std::chrono::duration<double>(world.now() - healed_at).count();
  if (checks.violation()) return checks.violation();
  if (!well) return Violation{"the cluster does not recover", checks.ailment()};
  checks.look_at_rows();
  return checks.violation();
}

}  // namespace

RunResult run(const RunOptions& options) {
  World world(options.seed, options.story);
  auto chance = world.chance().fork();
  Cluster cluster(world, options_of(options, chance));
  Clients clients(cluster, 1 + static_cast<int>(chance.below(3)));
  Checks checks(cluster, clients);
  Faults faults(cluster, checks, options.only);
  faults.on_change = [&clients] { clients.stir(); };
  world.after_each([&checks] { checks.look(); });
  start_nodes(cluster, chance);
  RunResult result;
  result.violation = live({world, cluster, checks, faults}, options, &result.seconds_to_heal);
  result.hash = world.hash();
  result.events = world.events();
  result.seconds_simulated = std::chrono::duration<double>(world.elapsed()).count();
  result.acknowledged = checks.acknowledged();
  result.lost = checks.lost();
  result.promotions = checks.promotions();
  result.hand_overs = checks.hand_overs();
  result.faults = faults.counts();
  result.story = world.story();
  return result;
}

}  // namespace tanist::sim
