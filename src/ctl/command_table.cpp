// SPDX-License-Identifier: Apache-2.0
// The rows of all commands. tidy: table
#include "ctl/command_table.h"

#include <algorithm>

namespace tanist::ctl {

namespace {

using Kind = ValueKind;

const std::vector<std::string> formats{"pretty", "tsv", "json", "yaml", "yml"};
const std::vector<std::string> roles{"leader",  "primary", "standby-leader",
                                     "replica", "standby", "any"};

const OptionRow group_row{
    {"--group"}, Kind::integer, "Citus group; Citus clusters are not supported", {}};
const OptionRow force_row{{"--force"}, Kind::flag, "ask nothing", {}};
const OptionRow role_row{
    {"--role", "-r"}, Kind::word, "only members of this role; any by default", roles};
const OptionRow format_row{
    {"--format", "-f"}, Kind::word, "how to print; pretty by default", formats};
const OptionRow watch_flag_row{{"-W"}, Kind::flag, "again every 2 seconds", {}};
const OptionRow watch_row{
    {"-w", "--watch"}, Kind::real, "again every so many seconds; wins over -W", {}};

const ArgumentRow cluster_row{"CLUSTER_NAME", "the cluster; by default the configuration's scope"};
const ArgumentRow clusters_row{"CLUSTER_NAMES", "clusters; by default the configuration's scope",
                               false, true};
const ArgumentRow required_cluster_row{"CLUSTER_NAME", "the cluster", true};
const ArgumentRow members_row{"MEMBER_NAMES", "members; by default all of the role", false, true};

OptionRow flag(std::vector<std::string> names, std::string help) {
  return {std::move(names), Kind::flag, std::move(help), {}};
}
OptionRow text(std::vector<std::string> names, std::string help, Kind kind = Kind::text) {
  return {std::move(names), kind, std::move(help), {}};
}

CommandRow list_row() {
  return {"list",
          "Show the members of clusters: who leads, who follows, how far behind",
          {clusters_row},
          {flag({"--extended", "-e"}, "show all columns"),
           flag({"--timestamp", "-t"}, "print the time first"), format_row, watch_flag_row,
           watch_row, group_row},
          "A cluster that the store does not know is an empty table. Lag is in MiB.",
          {"tanistctl list", "tanistctl list -f json", "tanistctl list -e -W"}};
}

CommandRow topology_row() {
  return {"topology",
          "Show who streams from whom, as a tree",
          {clusters_row},
          {watch_flag_row, watch_row, group_row},
          "",
          {"tanistctl topology"}};
}

CommandRow dsn_row() {
  return {
      "dsn",
      "Print host and port of a member for libpq",
      {cluster_row},
      {{{"--role", "-r"}, Kind::word, "the first member of this role; leader by default", roles},
       text({"--member", "-m"}, "this member"),
       group_row},
      "",
      {"psql \"$(tanistctl dsn) dbname=shop\"", "tanistctl dsn -r replica"}};
}

CommandRow query_row() {
  return {"query",
          "Run SQL on a member and print the result",
          {cluster_row},
          {text({"--command", "-c"}, "the SQL to run"),
           text({"--file", "-f"}, "a file with the SQL to run", Kind::file),
           text({"--format"}, "pretty, tsv, json or yaml; tsv by default"),
           text({"--delimiter"}, "between the columns of tsv; a tabulator by default"),
           text({"--username", "-U"}, "database user"),
           flag({"--password"}, "ask for a password"),
           text({"--dbname", "-d"}, "database"),
           {{"--role", "-r"}, Kind::word, "on a member of this role; leader by default", roles},
           text({"--member", "-m"}, "on this member"),
           watch_flag_row,
           watch_row,
           group_row},
          "What is not given comes from libpq's environment (PGUSER, PGPASSWORD, PGSSLMODE, ...) "
          "and password file. A failure is printed as a row with the time, and the exit code is 0.",
          {"tanistctl query -c 'SELECT pg_is_in_recovery()' -r replica",
           "tanistctl query -c 'SELECT now()' --format pretty -W"}};
}

CommandRow reload_row() {
  return {"reload",
          "Let members read their configuration files again",
          {required_cluster_row, members_row},
          {role_row, force_row, group_row},
          "",
          {"tanistctl reload shop", "tanistctl reload shop pg-2 --force"}};
}

CommandRow restart_row() {
  return {
      "restart",
      "Restart PostgreSQL servers, now or later",
      {required_cluster_row, members_row},
      {role_row, flag({"--any"}, "one of the members, chosen by chance"),
       flag({"--pending"}, "only members whose settings wait for a restart"),
       text({"--pg-version"}, "only servers older than X.Y or X.Y.Z"),
       text({"--scheduled"}, "when: 'now', or a time such as 2031-05-01T04:00+00:00"),
       text({"--timeout"}, "how long the start may take, such as 60s"), force_row, group_row},
      "With --force a restart that is already scheduled is replaced.",
      {"tanistctl restart shop pg-2", "tanistctl restart shop --pending --role replica --force"}};
}

CommandRow reinit_row() {
  return {"reinit",
          "Replace the data of replicas by a new copy",
          {required_cluster_row, {"MEMBER_NAMES", "replicas; asked for if absent", false, true}},
          {text({"--force"}, "ask nothing; cancels what the member is doing", Kind::flag),
           flag({"--from-leader"}, "copy from the leader, by the built-in method"),
           flag({"--wait"}, "wait until the copies are complete"), group_row},
          "All data of the member is lost; the leader is never taken. With --force and without "
          "names nothing is done.",
          {"tanistctl reinit shop pg-3 --wait"}};
}

CommandRow switchover_row() {
  return {"switchover",
          "Move the leadership to another member, now or later",
          {cluster_row},
          {text({"--leader", "--primary"}, "who leads now"),
           text({"--candidate"}, "who shall lead; whoever is best if it is empty"),
           text({"--scheduled"}, "when: 'now', or a time such as 2031-05-01T04:00+00:00"),
           force_row, group_row},
          "With --force the leader defaults to the current one, the candidate to whoever is best, "
          "and the time to now.",
          {"tanistctl switchover", "tanistctl switchover --candidate pg-2 --force",
           "tanistctl switchover --candidate pg-2 --scheduled 2031-05-01T04:00+00:00"}};
}

CommandRow failover_row() {
  return {"failover",
          "Make a member the leader of a cluster that has none, or a broken one",
          {cluster_row},
          {text({"--candidate"}, "who shall lead; it has to be named"), force_row, group_row},
          "It may lack acknowledged writes. Where there is a leader that works, use switchover.",
          {"tanistctl failover --candidate pg-2"}};
}

CommandRow flush_row() {
  return {"flush",
          "Discard what was scheduled: restarts of members, or a switchover",
          {required_cluster_row,
           members_row,
           {"TARGET", "what to discard", true, false, {"restart", "switchover"}}},
          {role_row, force_row, group_row},
          "For a switchover, names, --role and --force do not matter and nothing is asked.",
          {"tanistctl flush shop pg-2 restart", "tanistctl flush shop switchover"}};
}

CommandRow pause_row(const std::string& name, const std::string& purpose) {
  return {name,
          purpose,
          {cluster_row},
          {flag({"--wait"}, "wait until all members know"), group_row},
          "",
          {"tanistctl " + name + " --wait"}};
}

CommandRow show_config_row() {
  return {"show-config",
          "Print the cluster's configuration",
          {cluster_row},
          {group_row},
          "",
          {"tanistctl show-config"}};
}

CommandRow edit_config_row() {
  return {
      "edit-config",
      "Change the cluster's configuration",
      {cluster_row},
      {text({"--set", "-s"}, "KEY=VALUE: a dotted path and YAML; null deletes; may be repeated",
            Kind::texts),
       text({"--pg", "-p"}, "NAME=VALUE of a PostgreSQL parameter; may be repeated", Kind::texts),
       text({"--apply"}, "file with keys to change; - is standard input", Kind::file),
       text({"--replace"}, "file with the whole; - is standard input", Kind::file),
       flag({"--quiet", "-q"}, "do not show the difference"), force_row, group_row},
      "In this order: --replace, --apply, --set, --pg. Without any of them $EDITOR is opened. "
      "Values are not checked here: `tanistctl doctor` does that.",
      {"tanistctl edit-config",
       "tanistctl edit-config -s synchronous_mode=quorum -p work_mem=16MB --force"}};
}

CommandRow history_row() {
  return {"history",
          "Show who was promoted, when and why",
          {cluster_row},
          {format_row, group_row},
          "",
          {"tanistctl history"}};
}

CommandRow remove_row() {
  return {"remove",
          "Delete a cluster from the store",
          {required_cluster_row},
          {format_row, group_row},
          "Asks for the cluster's name, for a sentence, and for the leader's name if there is one. "
          "PostgreSQL is not touched; agents that still run write their keys again.",
          {"tanistctl remove shop"}};
}

CommandRow version_row() {
  return {"version",
          "Print the version of the tool, and of members if a cluster is named",
          {{"CLUSTER_NAME", "the cluster; without it, the tool alone"},
           {"MEMBER_NAMES", "members; all by default", false, true}},
          {group_row},
          "",
          {"tanistctl version shop"}};
}

CommandRow demote_cluster_row() {
  return {"demote-cluster",
          "Make the cluster a standby cluster of another one",
          {cluster_row},
          {text({"--host"}, "address of the remote primary"),
           text({"--port"}, "port of the remote primary", Kind::integer),
           text({"--restore-command"}, "command that fetches WAL of the remote primary"),
           text({"--primary-slot-name"}, "replication slot on the remote primary"), force_row},
          "At least one of --host, --port and --restore-command is needed.",
          {"tanistctl demote-cluster shop --host 10.2.0.1 --port 5432"}};
}

CommandRow promote_cluster_row() {
  return {"promote-cluster",
          "Make a standby cluster an independent one",
          {cluster_row},
          {force_row},
          "",
          {"tanistctl promote-cluster shop"}};
}

CommandRow doctor_row() {
  return {"doctor",
          "Look for what is wrong, or soon will be, and say what to do about it",
          {cluster_row},
          {format_row, flag({"--quiet", "-q"}, "show only what is wrong"),
           text({"--days"}, "how long certificates shall still be valid; 30 by default",
                Kind::integer)},
          "Looks at every endpoint of the store, at certificates, clocks, versions, the store's "
          "election timeout against ttl, the REST API of each member, replication, and the dynamic "
          "configuration. Changes nothing. The exit code is 1 if anything is wrong.",
          {"tanistctl doctor", "tanistctl doctor -q -f json"}};
}

const std::vector<std::string> report_formats{"text", "json", "markdown"};

CommandRow explain_row() {
  return {"explain",
          "Tell how leadership changed: cause, phases, who decided what and why",
          {cluster_row},
          {text({"--since"}, "all changes since then: a time, or seconds before now"),
           flag({"--last-failover"}, "the last change only, as without --since"),
           {{"--format", "-f"}, Kind::word, "how to print; text by default", report_formats},
           text({"--file"}, "a journal to read, may be repeated; asks no member and no store",
                Kind::texts)},
          "Merges the nodes' journals and the digests in the store into one story.",
          {"tanistctl explain", "tanistctl explain --since 3600 -f markdown > incident.md",
           "tanistctl explain --file node1.journal --file node2.journal"}};
}

CommandRow replay_row() {
  return {"replay",
          "Make the decisions of a journal again and show differences",
          {{"FILE", "a journal", true}},
          {},
          "The exit code is 1 if a decision comes out differently.",
          {"tanistctl replay /var/lib/postgresql/15/main.journal"}};
}

CommandRow whatif_row() {
  return {"whatif",
          "Tell who would take over if a node failed now",
          {{"NODE", "the node that fails; by default the leader"}},
          {text({"--cluster"}, "the cluster; by default the configuration's scope"),
           {{"--format", "-f"}, Kind::word, "how to print; text by default", {"text", "json"}}},
          "In about how long, what could be lost, and why the others would not. Touches nothing.",
          {"tanistctl whatif", "tanistctl whatif pg-2 -f json"}};
}

CommandRow provision_row() {
  return {"provision",
          "Write the files of all hosts of a new cluster",
          {{"TOPOLOGY", "file that describes the cluster", true}},
          {text({"--output", "-o"}, "folder that is written; has to be given", Kind::file),
           {{"--renew"}, Kind::word, "what to issue anew", {"certificates", "authority", "retire"}},
           flag({"--overwrite"}, "also replace files that were edited")},
          "Start from examples/topology-three-nodes.yml; docs/guide/provision.md tells more.",
          {"tanistctl provision topology.yml -o cluster"}};
}

CommandRow completion_row() {
  return {"completion",
          "Print a script that completes commands and options in a shell",
          {{"SHELL", "bash, zsh or fish", true, false, {"bash", "zsh", "fish"}}},
          {},
          "",
          {"tanistctl completion bash > /etc/bash_completion.d/tanistctl",
           "tanistctl completion zsh > /usr/local/share/zsh/site-functions/_tanistctl",
           "tanistctl completion fish > ~/.config/fish/completions/tanistctl.fish"}};
}

CommandRow manual_row() {
  return {"manual",
          "Print a page of the manual",
          {{"PAGE",
            "the page; tanistctl.md is the reference",
            true,
            false,
            {"tanistctl.1", "tanist.yml.5", "tanistctl.md"}}},
          {},
          "",
          {"tanistctl manual tanistctl.1 | man -l -"}};
}

}  // namespace

const std::string& OptionRow::key() const {
  const auto at =
      std::ranges::find_if(names, [](const std::string& name) { return name.starts_with("--"); });
  return at == names.end() ? names.front() : *at;
}

const std::vector<OptionRow>& global_options() {
  static const std::vector<OptionRow> rows{
      text({"--config-file", "-c"}, "configuration file or folder ($PATRONICTL_CONFIG_FILE)",
           Kind::file),
      text({"--dcs-url", "-d", "--dcs"},
           "store instead of the configured one: [etcd3://]HOST[:PORT][/NAMESPACE] ($DCS_URL)"),
      flag({"--insecure", "-k"}, "do not verify the certificates of members")};
  return rows;
}

const std::vector<CommandRow>& command_table() {
  static const std::vector<CommandRow> rows = [] {
    std::vector<CommandRow> out{list_row(),
                                topology_row(),
                                dsn_row(),
                                query_row(),
                                reload_row(),
                                restart_row(),
                                reinit_row(),
                                switchover_row(),
                                failover_row(),
                                flush_row(),
                                show_config_row(),
                                edit_config_row(),
                                history_row(),
                                remove_row(),
                                version_row(),
                                demote_cluster_row(),
                                promote_cluster_row(),
                                doctor_row(),
                                explain_row(),
                                replay_row(),
                                whatif_row(),
                                provision_row(),
                                completion_row(),
                                manual_row(),
                                pause_row("pause", "Stop automatic failover and restarts"),
                                pause_row("resume", "End a pause")};
    std::ranges::sort(out, {}, &CommandRow::name);
    return out;
  }();
  return rows;
}

const CommandRow* find_command(std::string_view name) {
  const auto& rows = command_table();
  const auto at = std::ranges::find(rows, name, &CommandRow::name);
  return at == rows.end() ? nullptr : &*at;
}

std::string value_title(const OptionRow& option) {
  switch (option.kind) {
    case ValueKind::flag: return "";
    case ValueKind::text:
    case ValueKind::texts: return "TEXT";
    case ValueKind::integer: return "INTEGER";
    case ValueKind::real: return "FLOAT";
    case ValueKind::file: return "FILE";
    case ValueKind::word: break;
  }
  std::string out;
  for (const auto& word : option.words) out += (out.empty() ? "" : "|") + word;
  return "[" + out + "]";
}

std::string argument_title(const ArgumentRow& argument) {
  auto out = argument.title;
  if (!argument.words.empty()) {
    out.clear();
    for (const auto& word : argument.words) out += (out.empty() ? "" : "|") + word;
    out = "{" + out + "}";
  }
  if (!argument.is_required) out = "[" + out + "]";
  return argument.is_many ? out + "..." : out;
}

std::string usage_of(std::string_view program, const CommandRow* command) {
  std::string out(program);
  if (command == nullptr) return out + " [OPTIONS] COMMAND [ARGS]...";
  out += " " + command->name + " [OPTIONS]";
  for (const auto& argument : command->arguments) out += " " + argument_title(argument);
  return out;
}

const OptionRow& help_option() {
  static const OptionRow row = flag({"--help"}, "show this text and exit");
  return row;
}

std::string_view tool_purpose() {
  return "Show and steer highly available PostgreSQL clusters (tanist, Patroni)";
}

std::string_view tool_details() {
  return "The configuration is that of the agent, or the part of it that leads to the store and to "
         "the members; PATRONI_* variables are laid over it. Without -c the file "
         "~/.config/patroni/patronictl.yaml is read if it exists. Global options stand before the "
         "command; options and names of a command may be mixed; long options cannot be "
         "abbreviated; -- ends the options.\n\n"
         "Exit codes: 0 done, and also where a member refused (a line 'Failed: ...' or "
         "'... failed, details: ...' tells); 1 an error, told in one line on standard error, or an "
         "aborted prompt; 2 wrong usage.";
}

const std::vector<std::string>& tool_examples() {
  static const std::vector<std::string> rows{"tanistctl -c /etc/tanist/tanist.yml list",
                                             "tanistctl list -f json",
                                             "tanistctl switchover --candidate pg-2",
                                             "tanistctl edit-config -s ttl=20 --force",
                                             "tanistctl -d etcd3://10.0.0.1:2379 list shop",
                                             "tanistctl whatif",
                                             "tanistctl explain",
                                             "tanistctl provision topology.yml -o cluster"};
  return rows;
}

}  // namespace tanist::ctl
