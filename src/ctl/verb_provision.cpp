// SPDX-License-Identifier: Apache-2.0
// `provision`: from a topology file to the files of all hosts (docs/guide/provision.md).
#include "ctl/terminal.h"
#include "ctl/verbs.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

void print_all(const std::string& title, const std::vector<std::string>& lines) {
  for (const auto& line : lines) print_line(title + line);
}

}  // namespace

Result<void> provision_cluster(const ProvisionOptions& options) {
  const auto topology = tanist::provision::read_topology(options.topology);
  if (!topology) return pass_on(topology.error());
  const auto report = tanist::provision::write(
      *topology, options.output,
      {.now = os::wall_now(), .renew = options.renew, .overwrite = options.overwrite});
  if (!report) return pass_on(report.error());
  print_all("created ", report->created);
  print_all("updated ", report->updated);
  print_all("left over ", report->left_over);
  print_all("issued ", report->issued);
  print_all("note: ", report->advice);
  print_line(std::to_string(report->created.size()) + " files created, " +
             std::to_string(report->updated.size()) + " updated, " +
             std::to_string(report->kept.size()) + " kept in " + report->folder +
             "; README.md there tells what to do with them");
  return {};
}

}  // namespace tanist::ctl
