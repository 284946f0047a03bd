// SPDX-License-Identifier: Apache-2.0
// Opening of a session.
#include "ctl/session.h"

namespace tanist::ctl {

Result<Session> Session::open(const ToolConfig& config, const std::optional<std::string>& given) {
  const auto name = config.cluster_name(given);
  if (!name) return pass_on(name.error());
  auto cluster = Cluster::open(config, *name);
  if (!cluster) return pass_on(cluster.error());
  auto members = Members::make(config);
  if (!members) return pass_on(members.error());
  auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  return Session{std::move(*cluster), std::move(*members), std::move(*reading)};
}

}  // namespace tanist::ctl
