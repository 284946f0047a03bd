// SPDX-License-Identifier: Apache-2.0
// `query`: SQL on a member (contract ctl 4.4). What goes wrong with it is a row with the time, as
// scripts that watch a cluster want it.
#include <iostream>
#include <iterator>
#include <thread>

#include "base/format.h"
#include "ctl/cluster.h"
#include "ctl/member_target.h"
#include "ctl/sql_session.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/times.h"
#include "ctl/verbs.h"
#include "os/clock.h"
#include "os/file.h"

namespace tanist::ctl {

namespace {

// A row that tells of a failure has no headings.
struct Outcome {
  Table table;
  bool has_headings = true;
};

Outcome failure(const std::string& text) {
  Outcome out{.has_headings = false};
  out.table.rows = {{local_time_text(os::wall_now()), text}};
  return out;
}

Result<std::string> text_of(const QueryOptions& options) {
  if (options.command && options.file) {
    return fail(Errc::invalid, "--file and --command are mutually exclusive options");
  }
  if (options.command) return *options.command;
  if (!options.file) {
    return fail(Errc::invalid, "You need to specify either --command or --file");
  }
  if (*options.file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  auto text = os::read_file(*options.file);
  if (!text) return pass_on(text.error());
  return text;
}

std::optional<bool> wanted_recovery(const TargetOptions& target) {
  if (!target.role || *target.role == MemberRole::leader || *target.role == MemberRole::any) {
    return std::nullopt;
  }
  return *target.role != MemberRole::primary;
}

Outcome no_connection(const TargetOptions& target) {
  if (target.member) {
    return failure(format_text("No connection to member {} is available", *target.member));
  }
  return failure(format_text("No connection to role '{}' is available",
                             name_of(target.role.value_or(MemberRole::leader))));
}

Outcome ask(const Reading& cluster, const QueryOptions& options, SqlRequest request) {
  const auto address = address_of_target(cluster, options.target);
  if (!address) return no_connection(options.target);
  request.keywords["host"] = address->host;
  request.keywords["port"] = address->port;
  const auto rows = run_sql(request);
  if (!rows && rows.error().code == Errc::not_found) return no_connection(options.target);
  if (!rows) {
    const auto& error = rows.error();
    return failure("ERROR, SQLSTATE: " + (error.sqlstate.empty() ? error.message : error.sqlstate));
  }
  if (rows->columns.empty()) return failure("ERROR, SQLSTATE: no results to fetch");
  Outcome out;
  for (const auto& column : rows->columns) out.table.columns.push_back({column});
  for (const auto& values : rows->rows) {
    auto& cells = out.table.rows.emplace_back();
    for (std::size_t i = 0; i < values.size(); ++i) {
      cells.push_back(cell_of(values[i], rows->types[i]));
    }
  }
  return out;
}

void show(Outcome outcome, const QueryOptions& options) {
  const auto format = format_named(options.format);
  if (!format) return;
  auto& table = outcome.table;
  if (!outcome.has_headings && *format == Format::pretty) {
    table.columns = {{"Field 1"}, {"Field 2"}};
  }
  const bool is_data = *format == Format::json || *format == Format::yaml;
  if (!outcome.has_headings && is_data) table.rows = {{}};  // values without names are nothing
  print(to_text(table, *format, options.delimiter));
}

}  // namespace

Result<void> query(const ToolConfig& config, const QueryOptions& options) {
  const auto checked = check_target(options.target);
  if (!checked) return checked;
  SqlRequest request{
      .keywords = {{"fallback_application_name", "Patroni ctl"}, {"connect_timeout", "5"}},
      .in_recovery = wanted_recovery(options.target)};
  auto text = text_of(options);
  if (!text) return pass_on(text.error());
  request.text = std::move(*text);
  if (options.username) request.keywords["user"] = *options.username;
  if (options.dbname) request.keywords["dbname"] = *options.dbname;
  if (options.asks_password) {
    auto password = ask_secret("Password");
    if (!password) return pass_on(password.error());
    request.password = Secret(std::move(*password));
  }
  const auto name = config.cluster_name(options.cluster);
  if (!name) return pass_on(name.error());
  auto cluster = Cluster::open(config, *name);
  if (!cluster) return pass_on(cluster.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  while (true) {
    show(ask(*reading, options, request), options);
    if (options.watch.count() <= 0) return {};
    std::this_thread::sleep_for(options.watch);
  }
}

}  // namespace tanist::ctl
