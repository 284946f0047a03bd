// SPDX-License-Identifier: Apache-2.0
// `history` (contract ctl 4.13).
#include "ctl/cluster.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

namespace {

Table history_table(const Reading& reading) {
  Table table{
      .columns = {
          {"TL", Align::right}, {"LSN", Align::right}, {"Reason"}, {"Timestamp"}, {"New Leader"}}};
  const auto& history = reading.view->history;
  const auto* lines = history ? history->value->as_list() : nullptr;
  if (lines == nullptr) return table;
  for (const auto& line : *lines) {
    if (!line.is_list()) continue;
    auto cells = *line.as_list();
    cells.resize(table.columns.size(), Tree(""));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

Result<void> history(const ToolConfig& config, const HistoryOptions& options) {
  const auto name = config.cluster_name(options.cluster);
  if (!name) return pass_on(name.error());
  auto cluster = Cluster::open(config, *name);
  if (!cluster) return pass_on(cluster.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  print(to_text(history_table(*reading), options.format));
  return {};
}

}  // namespace tanist::ctl
