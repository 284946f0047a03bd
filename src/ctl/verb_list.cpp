// SPDX-License-Identifier: Apache-2.0
// `list` and `topology` (contract ctl 4.1 and 4.2).
#include <thread>

#include "ctl/cluster.h"
#include "ctl/member_table.h"
#include "ctl/terminal.h"
#include "ctl/times.h"
#include "ctl/verbs.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

Result<void> show(std::vector<Cluster>& clusters, const ListOptions& options) {
  if (options.timestamp) print_line(local_time_text(os::wall_now()));
  for (auto& cluster : clusters) {
    const auto reading = cluster.read();
    if (!reading) return pass_on(reading.error());
    print(member_table_text(*reading, {options.format, options.extended, options.as_tree}));
  }
  return {};
}

void clear_screen() {
  if (output_is_terminal()) print("\033[2J\033[1;1H");
}

}  // namespace

Result<void> list(const ToolConfig& config, const ListOptions& options) {
  auto names = options.clusters;
  if (names.empty() && !config.scope.empty()) names.push_back(config.scope);
  if (names.empty()) {
    warn("Listing members: No cluster names were provided");
    return {};
  }
  std::vector<Cluster> clusters;
  for (const auto& name : names) {
    auto cluster = Cluster::open(config, name);
    if (!cluster) return pass_on(cluster.error());
    clusters.push_back(std::move(*cluster));
  }
  while (true) {
    if (options.watch.count() > 0) clear_screen();
    const auto shown = show(clusters, options);
    // A watch outlives a store that is away for a while.
    if (!shown && options.watch.count() <= 0) return shown;
    if (!shown) warn(shown.error().message);
    if (options.watch.count() <= 0) return {};
    std::this_thread::sleep_for(options.watch);
  }
}

}  // namespace tanist::ctl
