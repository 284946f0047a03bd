// SPDX-License-Identifier: Apache-2.0
// `whatif`: looks at the live cluster and tells what the loss of a node would lead to.
#include "base/format.h"
#include "base/json.h"
#include "ctl/cluster.h"
#include "ctl/members.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"
#include "ctl/what_if.h"
#include "journal/digest.h"

namespace tanist::ctl {

namespace {

// As long as a peer is waited for in a race.
constexpr Duration status_limit = seconds(2);

Result<LiveCluster> look(const ToolConfig& config, const std::string& name) {
  auto cluster = Cluster::open(config, name);
  if (!cluster) return pass_on(cluster.error());
  auto members = Members::make(config);
  if (!members) return pass_on(members.error());
  auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  LiveCluster live{.reading = std::move(*reading)};
  const auto& view = *live.reading.view;
  if (view.digests) live.incidents = journal::digests_in(view.digests->value);
  for (const auto& [member_name, member] : view.members) {
    const auto answer = members->ask(
        member, {.method = "GET", .path = "/patroni", .limit = status_limit, .repeats = false});
    if (!answer) continue;
    auto body = parse_json(answer->body);
    if (body) live.status.emplace(member_name, std::move(*body));
  }
  return live;
}

}  // namespace

Result<void> whatif(const ToolConfig& config, const WhatIfOptions& options) {
  const auto name = config.cluster_name(options.cluster);
  if (!name) return pass_on(name.error());
  const auto live = look(config, *name);
  if (!live) return pass_on(live.error());
  const auto& view = *live->reading.view;
  MemberName failing(options.member.value_or(""));
  if (!options.member) {
    if (!view.locked())
      return fail(Errc::not_found, "cluster {} has no leader; name a node", *name);
    failing = view.leader->name;
  }
  if (view.member(failing) == nullptr) {
    return fail(Errc::not_found, "{} is not a member of cluster {}", failing.value(), *name);
  }
  const auto answer = what_if(*live, failing);
  print(options.format == ReportFormat::json ? to_json(to_tree(answer)) + "\n" : to_text(answer));
  return {};
}

}  // namespace tanist::ctl
