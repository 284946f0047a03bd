// SPDX-License-Identifier: Apache-2.0
// `remove`: a cluster's keys are deleted from the store (contract ctl 4.14).
#include "base/format.h"
#include "ctl/cluster.h"
#include "ctl/member_table.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

namespace {

// Demands that exactly `wanted` is typed.
Result<void> demand_words(const std::string& prompt, const std::string& wanted,
                          const std::string& otherwise) {
  const auto answer = ask_for(prompt);
  if (!answer) return pass_on(answer.error());
  if (*answer != wanted) return fail(Errc::refused, "{}", otherwise);
  return {};
}

Result<void> demand_certainty(const Reading& reading) {
  auto done = demand_words("Please confirm the cluster name to remove", reading.scope,
                           "Cluster names specified do not match");
  if (!done) return done;
  done = demand_words(
      format_text("You are about to remove all information in DCS for {}, please type: "
                  "\"Yes I am aware\"",
                  reading.scope),
      "Yes I am aware", "You did not exactly type \"Yes I am aware\"");
  if (!done || !reading.view->locked()) return done;
  return demand_words(
      "This cluster currently is healthy. Please specify the leader name to continue",
      reading.view->leader->name.value(), "You did not specify the current leader of the cluster");
}

}  // namespace

Result<void> remove_cluster(const ToolConfig& config, const RemoveOptions& options) {
  auto cluster = Cluster::open(config, options.cluster);
  if (!cluster) return pass_on(cluster.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  print(member_table_text(*reading, {options.format}));
  const auto certain = demand_certainty(*reading);
  if (!certain) return certain;
  return cluster->remove();
}

}  // namespace tanist::ctl
