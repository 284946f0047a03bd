// SPDX-License-Identifier: Apache-2.0
// Options of each command, from the values that the command line gave. What a value must look like
// stands in the command table and was checked.
#include "ctl/arguments.h"

#include <unistd.h>

#include <charconv>
#include <functional>
#include <map>

#include "base/format.h"
#include "ctl/command_line.h"
#include "ctl/completion.h"
#include "ctl/help.h"
#include "ctl/manual.h"

namespace tanist::ctl {

namespace {

template <class Number>
Number number_of(const std::string& text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Format format_of(const Given& given) {
  return format_named(given.text_or("--format", "pretty")).value_or(Format::pretty);
}

std::optional<MemberRole> role_given(const Given& given) {
  const auto name = given.text("--role");
  return name ? from_name<MemberRole>(*name) : std::nullopt;
}

MemberRole role_of(const Given& given) { return role_given(given).value_or(MemberRole::any); }

WatchInterval interval_of(const Given& given) {
  const auto text = given.text("--watch");
  if (text) return WatchInterval(number_of<double>(*text));
  return WatchInterval(given.has("-W") ? 2 : 0);
}

TargetOptions target_of(const Given& given) { return {role_given(given), given.text("--member")}; }

Command list_of(const Given& given, bool as_tree) {
  return ListOptions{.clusters = given.all("CLUSTER_NAMES"),
                     .format = format_of(given),
                     .extended = given.has("--extended"),
                     .timestamp = given.has("--timestamp"),
                     .as_tree = as_tree,
                     .watch = interval_of(given)};
}

Command hand_over_of(const Given& given, bool is_switchover) {
  return HandOverOptions{.is_switchover = is_switchover,
                         .cluster = given.text("CLUSTER_NAME"),
                         .leader = given.text("--leader"),
                         .candidate = given.text("--candidate"),
                         .scheduled = given.text("--scheduled"),
                         .force = given.has("--force")};
}

Command reload_of(const Given& given) {
  return ReloadOptions{given.text_or("CLUSTER_NAME", ""), given.all("MEMBER_NAMES"), role_of(given),
                       given.has("--force")};
}

Command restart_of(const Given& given) {
  return RestartOptions{.cluster = given.text_or("CLUSTER_NAME", ""),
                        .members = given.all("MEMBER_NAMES"),
                        .role = role_of(given),
                        .any_one = given.has("--any"),
                        .pending = given.has("--pending"),
                        .version = given.text("--pg-version"),
                        .scheduled = given.text("--scheduled"),
                        .timeout = given.text("--timeout"),
                        .force = given.has("--force")};
}

Command reinit_of(const Given& given) {
  return ReinitOptions{.cluster = given.text_or("CLUSTER_NAME", ""),
                       .members = given.all("MEMBER_NAMES"),
                       .from_leader = given.has("--from-leader"),
                       .wait = given.has("--wait"),
                       .force = given.has("--force")};
}

Command flush_of(const Given& given) {
  return FlushOptions{.cluster = given.text_or("CLUSTER_NAME", ""),
                      .members = given.all("MEMBER_NAMES"),
                      .restarts = given.text("TARGET") == "restart",
                      .role = role_of(given),
                      .force = given.has("--force")};
}

Command pause_of(const Given& given, bool pause) {
  return PauseOptions{pause, given.text("CLUSTER_NAME"), given.has("--wait")};
}

Command edit_config_of(const Given& given) {
  return EditConfigOptions{.cluster = given.text("CLUSTER_NAME"),
                           .set = given.all("--set"),
                           .parameters = given.all("--pg"),
                           .apply = given.text("--apply"),
                           .replace = given.text("--replace"),
                           .quiet = given.has("--quiet"),
                           .force = given.has("--force")};
}

Command query_of(const Given& given) {
  return QueryOptions{.cluster = given.text("CLUSTER_NAME"),
                      .target = target_of(given),
                      .command = given.text("--command"),
                      .file = given.text("--file"),
                      .format = given.text_or("--format", "tsv"),
                      .delimiter = given.text_or("--delimiter", "\t"),
                      .username = given.text("--username"),
                      .asks_password = given.has("--password"),
                      .dbname = given.text("--dbname"),
                      .watch = interval_of(given)};
}

Command standby_cluster_of(const Given& given, bool demote) {
  const auto port = given.text("--port");
  return StandbyClusterOptions{
      .demote = demote,
      .cluster = given.text("CLUSTER_NAME"),
      .host = given.text("--host"),
      .port = port ? std::optional(number_of<std::int64_t>(*port)) : std::nullopt,
      .restore_command = given.text("--restore-command"),
      .primary_slot_name = given.text("--primary-slot-name"),
      .force = given.has("--force")};
}

Command doctor_of(const Given& given) {
  return DoctorOptions{.cluster = given.text("CLUSTER_NAME"),
                       .format = format_of(given),
                       .quiet = given.has("--quiet"),
                       .days = number_of<std::int64_t>(given.text_or("--days", "30"))};
}

ReportFormat report_format_of(const Given& given) {
  return from_name<ReportFormat>(given.text_or("--format", "text")).value_or(ReportFormat::text);
}

Command explain_of(const Given& given) {
  return ExplainOptions{.cluster = given.text("CLUSTER_NAME"),
                        .since = given.text("--since"),
                        .format = report_format_of(given),
                        .files = given.all("--file")};
}

Command whatif_of(const Given& given) {
  return WhatIfOptions{.cluster = given.text("--cluster"),
                       .member = given.text("NODE"),
                       .format = report_format_of(given)};
}

Command provision_of(const Given& given) {
  using Renew = tanist::provision::Renew;
  const auto renew = given.text_or("--renew", "");
  return ProvisionOptions{.topology = given.text_or("TOPOLOGY", ""),
                          .output = given.text_or("--output", ""),
                          .renew = renew == "certificates" ? Renew::certificates
                                   : renew == "authority"  ? Renew::authority
                                   : renew == "retire"     ? Renew::retire
                                                           : Renew::nothing,
                          .overwrite = given.has("--overwrite")};
}

Command completion_of(const Given& given) {
  const auto shell = given.text_or("SHELL", "");
  return ShowText{completion_script(shell == "bash"  ? Shell::bash
                                    : shell == "zsh" ? Shell::zsh
                                                     : Shell::fish)};
}

Command manual_of(const Given& given) {
  const auto page = given.text_or("PAGE", "");
  return ShowText{page == "tanistctl.1"    ? tool_manual()
                  : page == "tanist.yml.5" ? configuration_manual()
                                           : tool_reference()};
}

using Make = std::function<Command(const Given&)>;

const std::map<std::string, Make>& makers() {
  static const std::map<std::string, Make> all{
      {"list", [](const Given& given) { return list_of(given, false); }},
      {"topology", [](const Given& given) { return list_of(given, true); }},
      {"switchover", [](const Given& given) { return hand_over_of(given, true); }},
      {"failover", [](const Given& given) { return hand_over_of(given, false); }},
      {"reload", reload_of},
      {"restart", restart_of},
      {"reinit", reinit_of},
      {"flush", flush_of},
      {"pause", [](const Given& given) { return pause_of(given, true); }},
      {"resume", [](const Given& given) { return pause_of(given, false); }},
      {"edit-config", edit_config_of},
      {"show-config",
       [](const Given& given) { return ShowConfigOptions{given.text("CLUSTER_NAME")}; }},
      {"history",
       [](const Given& given) {
         return HistoryOptions{given.text("CLUSTER_NAME"), format_of(given)};
       }},
      {"version",
       [](const Given& given) {
         return VersionOptions{.cluster = given.text("CLUSTER_NAME"),
                               .members = given.all("MEMBER_NAMES")};
       }},
      {"remove",
       [](const Given& given) {
         return RemoveOptions{given.text_or("CLUSTER_NAME", ""), format_of(given)};
       }},
      {"dsn",
       [](const Given& given) { return DsnOptions{given.text("CLUSTER_NAME"), target_of(given)}; }},
      {"query", query_of},
      {"demote-cluster", [](const Given& given) { return standby_cluster_of(given, true); }},
      {"promote-cluster", [](const Given& given) { return standby_cluster_of(given, false); }},
      {"doctor", doctor_of},
      {"explain", explain_of},
      {"replay", [](const Given& given) { return ReplayOptions{given.text_or("FILE", "")}; }},
      {"whatif", whatif_of},
      {"provision", provision_of},
      {"completion", completion_of},
      {"manual", manual_of}};
  return all;
}

// What the table cannot say; empty = nothing to object.
std::string complaint_about(const CommandRow& command, const Given& given) {
  if (given.has("--group")) {
    return "--group: Citus clusters are not supported; leave it out";
  }
  if (command.name == "provision" && !given.has("--output")) {
    return "Missing option '--output' / '-o'.";
  }
  const auto file = command.name == "query" ? given.text("--file") : std::nullopt;
  if (file && *file != "-" && access(file->c_str(), R_OK) != 0) {
    return format_text("Invalid value for '--file' / '-f': '{}': No such file or directory", *file);
  }
  return {};
}

}  // namespace

Result<Arguments> read_arguments(const std::vector<std::string>& arguments,
                                 const GlobalOptions& defaults, const std::string& program) {
  auto line = read_command_line(arguments, program);
  if (!line) return pass_on(line.error());
  Arguments out;
  out.global.config_file = line->global.text_or("--config-file", defaults.config_file);
  out.global.dcs_url = line->global.text_or("--dcs-url", defaults.dcs_url);
  out.global.insecure = line->global.has("--insecure") || defaults.insecure;
  if (line->wants_help || line->command == nullptr) {
    out.command = ShowText{help_text(program, line->command)};
    return out;
  }
  const auto complaint = complaint_about(*line->command, line->given);
  if (!complaint.empty()) {
    return fail(Errc::invalid, "{}", usage_error(program, line->command, complaint));
  }
  out.command = makers().at(line->command->name)(line->given);
  if (auto* version = std::get_if<VersionOptions>(&out.command)) version->program = program;
  if (auto* hand_over = std::get_if<HandOverOptions>(&out.command)) {
    hand_over->tells_phases = program != "patronictl";
  }
  if (auto* list = std::get_if<ListOptions>(&out.command)) {
    list->as_patronictl = program == "patronictl";
  }
  return out;
}

}  // namespace tanist::ctl
