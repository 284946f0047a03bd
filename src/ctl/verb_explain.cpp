// SPDX-License-Identifier: Apache-2.0
// `explain`: gathers the nodes' journals and the store's digests, and tells what happened.
#include "ctl/cluster.h"
#include "ctl/journals.h"
#include "ctl/terminal.h"
#include "ctl/times.h"
#include "ctl/verbs.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

Result<void> ask_cluster(Gathering& gathering, const ToolConfig& config, const std::string& name) {
  auto cluster = Cluster::open(config, name);
  if (!cluster) return pass_on(cluster.error());
  auto members = Members::make(config);
  if (!members) return pass_on(members.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  read_cluster(gathering, *members, *reading);
  return {};
}

// Seconds before now, or a time.
Result<WallTime> since_of(const std::string& text) {
  if (const auto ago = to_int(Tree(text)); ago && *ago >= 0) return os::wall_now() - seconds(*ago);
  const auto schedule = parse_schedule(text, os::wall_now());
  if (!schedule) return pass_on(schedule.error());
  return *schedule ? (*schedule)->time : os::wall_now();
}

Report since(Report report, WallTime begin) {
  std::erase_if(report.timeline, [&](const auto& line) { return line.at < begin; });
  std::erase_if(report.incidents, [&](const auto& incident) {
    const auto at = parse_timestamp(incident.at);
    return at && at->time < begin;
  });
  return report;
}

}  // namespace

Result<void> explain(const ToolConfig& config, const ExplainOptions& options) {
  Gathering gathering;
  std::string name = options.cluster.value_or(config.scope);
  if (!options.files.empty()) {
    if (auto read = read_files(gathering, options.files); !read) return read;
  } else {
    const auto given = config.cluster_name(options.cluster);
    if (!given) return pass_on(given.error());
    name = *given;
    if (auto read = ask_cluster(gathering, config, name); !read) return read;
  }
  auto report = put_together(std::move(gathering), name);
  if (options.since) {
    const auto begin = since_of(*options.since);
    if (!begin) return pass_on(begin.error());
    report = since(std::move(report), *begin);
  } else {
    report = last_change_of(std::move(report));
  }
  print(to_text(report, options.format));
  return {};
}

}  // namespace tanist::ctl
