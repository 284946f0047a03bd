// SPDX-License-Identifier: Apache-2.0
// `show-config` (contract ctl 4.11).
#include "ctl/cluster.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"
#include "yaml/yaml.h"

namespace tanist::ctl {

Result<void> show_config(const ToolConfig& config, const ShowConfigOptions& options) {
  const auto name = config.cluster_name(options.cluster);
  if (!name) return pass_on(name.error());
  auto cluster = Cluster::open(config, *name);
  if (!cluster) return pass_on(cluster.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  const auto& stored = reading->view->config;
  if (stored && stored->valid) print_line(yaml::to_yaml(stored->value, {.width = 200}));
  return {};
}

}  // namespace tanist::ctl
