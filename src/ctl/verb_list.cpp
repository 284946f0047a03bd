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

Result<std::string> text_of(std::vector<Cluster>& clusters, const ListOptions& options) {
  std::string out;
  if (options.timestamp) out += local_time_text(os::wall_now()) + "\n";
  for (auto& cluster : clusters) {
    const auto reading = cluster.read();
    if (!reading) return pass_on(reading.error());
    out += member_table_text(
        *reading, {options.format, options.extended, options.as_tree, options.as_patronictl});
  }
  return out;
}

// What was shown stays until there is something new, so that a live view does not flicker.
std::string cleared() { return output_is_terminal() ? "\033[2J\033[1;1H" : ""; }

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
    const auto text = text_of(clusters, options);
    if (options.watch.count() <= 0) {
      if (!text) return pass_on(text.error());
      print(*text);
      return {};
    }
    // A watch outlives a store that is away for a while.
    text ? print(cleared() + *text) : warn(text.error().message);
    std::this_thread::sleep_for(options.watch);
  }
}

}  // namespace tanist::ctl
