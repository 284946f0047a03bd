// SPDX-License-Identifier: Apache-2.0
// `dsn`: where a member listens, for libpq (contract ctl 4.3).
#include "base/format.h"
#include "ctl/cluster.h"
#include "ctl/member_target.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

Result<void> dsn(const ToolConfig& config, const DsnOptions& options) {
  const auto checked = check_target(options.target);
  if (!checked) return checked;
  const auto name = config.cluster_name(options.cluster);
  if (!name) return pass_on(name.error());
  auto cluster = Cluster::open(config, *name);
  if (!cluster) return pass_on(cluster.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  const auto address = address_of_target(*reading, options.target);
  if (!address) return fail(Errc::not_found, "Can not find a suitable member");
  print_line(format_text("host={} port={}", address->host, address->port));
  return {};
}

}  // namespace tanist::ctl
