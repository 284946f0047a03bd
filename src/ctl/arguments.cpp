// SPDX-License-Identifier: Apache-2.0
// Command line through CLI11; the only file of the tool that includes it. CLI11 takes texts; what
// they must be is checked here, in the words that scripts and people know.
#include "ctl/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "base/format.h"

namespace tanist::ctl {

namespace {

constexpr const char* purpose =
    "tanistctl - shows and steers highly available PostgreSQL clusters (tanist, Patroni)";

constexpr const char* epilogue =
    R"(The configuration is that of the agent; PATRONI_* variables are merged over it.

Examples:
  tanistctl -c /etc/tanist/tanist.yml list         who leads, who follows, how far behind
  tanistctl list -f json                           the same for programs
  tanistctl switchover --candidate pg-2            move the primary, with questions
  tanistctl edit-config -s ttl=20 --force          change a setting of the whole cluster
  tanistctl -d etcd3://10.0.0.1:2379 list shop     without a file
  tanistctl whatif                                 who would take over now
  tanistctl explain                                why the leader changed the last time
  tanistctl provision topology.yml -o cluster      files for all machines of a new cluster

Exit codes: 0 done, or refused by a member (a line 'Failed: ...' or '... failed, details: ...');
1 an error, told in one line, or aborted; 2 wrong usage.
Each command has its own --help. See also: docs/reference/tanistctl.md.)";

// A usage error in words of our own; CLI11 carries it out.
[[noreturn]] void refuse(const std::string& text) { throw CLI::ValidationError(text); }

Format format_of(const std::string& name) {
  if (const auto format = format_named(name)) return *format;
  refuse(
      format_text("Invalid value for '--format' / '-f': '{}' is not one of 'pretty', 'tsv', "
                  "'json', 'yaml', 'yml'.",
                  name));
}

ReportFormat report_format_of(const std::string& name) {
  if (const auto format = from_name<ReportFormat>(name)) return *format;
  refuse(
      format_text("Invalid value for '--format' / '-f': '{}' is not one of 'text', 'json', "
                  "'markdown'.",
                  name));
}

// `given` is empty when neither option was there.
WatchInterval interval_of(const std::string& given, bool every_two_seconds) {
  if (given.empty()) return WatchInterval(every_two_seconds ? 2 : 0);
  double number = 0;
  const auto* end = given.data() + given.size();
  const auto read = std::from_chars(given.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end && number >= 0) return WatchInterval(number);
  refuse(format_text("Invalid value for '--watch' / '-w': '{}' is not a valid float.", given));
}

// The value stays as it is until the option was seen.
void add_text(CLI::App& app, const std::string& names, std::optional<std::string>& value,
              const std::string& help) {
  const auto take = [&value](const CLI::results_t& results) {
    value = results.back();
    return true;
  };
  app.add_option(names, take, help)->take_last()->type_name("TEXT");
}

void add_text(CLI::App& app, const std::string& names, std::string& value,
              const std::string& help) {
  app.add_option(names, value, help)->take_last()->type_name("TEXT");
}

void add_cluster(CLI::App& app, std::optional<std::string>& cluster) {
  const auto take = [&cluster](const CLI::results_t& results) {
    cluster = results.front();
    return true;
  };
  app.add_option("CLUSTER_NAME", take, "default: the configuration's scope")->type_name("");
}

void add_names(CLI::App& app, const std::string& title, std::vector<std::string>& names,
               const std::string& help) {
  app.add_option(title, names, help)->type_name("");
}

void add_required_cluster(CLI::App& app, std::string& cluster) {
  app.add_option("CLUSTER_NAME", cluster, "the cluster")->required()->type_name("");
}

// May be given again and again, each time with one value.
void add_settings(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                  const std::string& help) {
  app.add_option(names, values, help)
      ->allow_extra_args(false)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("TEXT");
}

constexpr const char* role_help =
    "leader, primary, standby-leader, replica, standby or any (the default)";

MemberRole role_of(const std::string& name) {
  if (const auto role = from_name<MemberRole>(name)) return *role;
  refuse(
      format_text("Invalid value for '--role' / '-r': '{}' is not one of 'leader', 'primary', "
                  "'standby-leader', 'replica', 'standby', 'any'.",
                  name));
}

// Everything that is read, by command, until it is known which one it is.
class CommandLine {
 public:
  explicit CommandLine(const GlobalOptions& defaults) {
    out_.global = defaults;
    app_.footer(epilogue);
    app_.set_help_flag("--help", "show this text and exit");
    app_.require_subcommand(0, 1);
    add_text(app_, "-c,--config-file", out_.global.config_file,
             "configuration file or folder (PATRONICTL_CONFIG_FILE)");
    add_text(app_, "-d,--dcs-url,--dcs", out_.global.dcs_url,
             "store instead of the configured one: [etcd3://]HOST[:PORT][/NAMESPACE] (DCS_URL)");
    app_.add_flag("-k,--insecure", out_.global.insecure,
                  "do not verify the certificates of members");
    add_list();
    add_topology();
    add_hand_over("switchover", true);
    add_hand_over("failover", false);
    add_reload();
    add_restart();
    add_pause("pause", true);
    add_pause("resume", false);
    add_show_config();
    add_edit_config();
    add_history();
    add_version();
    add_explain();
    add_replay();
    add_whatif();
    add_provision();
  }

  Result<Arguments> read(std::vector<std::string> words) {
    std::ranges::reverse(words);
    try {
      app_.parse(words);
    } catch (const CLI::CallForHelp&) {
      out_.command = ShowText{chosen_help()};
    } catch (const CLI::ParseError& error) {
      const auto path = chosen_path();
      return fail(Errc::invalid, "Usage: {} [OPTIONS]\nTry '{} --help' for help.\n\nError: {}",
                  path, path, words_of(error));
    }
    if (app_.get_subcommands().empty()) out_.command = ShowText{app_.help()};
    return std::move(out_);
  }

 private:
  std::string chosen_help() const {
    const auto given = app_.get_subcommands();
    return given.empty() ? app_.help() : given.front()->help("tanistctl");
  }
  std::string chosen_path() const {
    const auto given = app_.get_subcommands();
    return given.empty() ? "tanistctl" : "tanistctl " + given.front()->get_name();
  }

  std::string words_of(const CLI::ParseError& error) const {
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return extras_text();
    const std::string text = error.what();
    const auto end = text.find(" is required");
    if (dynamic_cast<const CLI::RequiredError*>(&error) == nullptr || end == std::string::npos) {
      return text;
    }
    const auto name = text.substr(0, end);
    return format_text("Missing {} '{}'.", name.starts_with('-') ? "option" : "argument", name);
  }

  std::string extras_text() const {
    const auto extras = app_.remaining(true);
    const auto first = extras.empty() ? "" : extras.front();
    if (first.starts_with('-')) return "No such option: " + first;
    if (app_.get_subcommands().empty()) return format_text("No such command '{}'.", first);
    return format_text("Got unexpected extra argument ({})", first);
  }

  // A command whose options are read into a new `Options`; `settle` completes them from texts.
  template <class Options>
  CLI::App& add(
      const std::string& name, const std::string& help, std::shared_ptr<Options> options,
      std::function<void(Options&)> settle = [](Options&) {}) {
    auto* app = app_.add_subcommand(name, help);
    auto group = std::make_shared<std::string>();
    add_text(*app, "--group", *group, "Citus group; not supported");
    app->callback([this, options, settle, group] {
      if (!group->empty()) refuse("--group: Citus clusters are not supported; leave it out");
      settle(*options);
      out_.command = *options;
    });
    return *app;
  }

  // Texts behind `-W` and `-w`.
  struct WatchTexts {
    std::string interval;
    bool every_two_seconds = false;
  };
  static void add_watch(CLI::App& app, WatchTexts& texts) {
    app.add_flag("-W", texts.every_two_seconds, "look again every 2 seconds");
    add_text(app, "-w,--watch", texts.interval, "look again every so many seconds");
  }

  void add_list() {
    auto options = std::make_shared<ListOptions>();
    auto& app = add<ListOptions>(
        "list", "show the members of clusters", options, [this](ListOptions& list) {
          list.format = format_of(list_format_);
          list.watch = interval_of(list_watch_.interval, list_watch_.every_two_seconds);
        });
    add_names(app, "CLUSTER_NAMES", options->clusters, "default: the configuration's scope");
    app.add_flag("-e,--extended", options->extended, "show all columns");
    app.add_flag("-t,--timestamp", options->timestamp, "print the time first");
    add_text(app, "-f,--format", list_format_, "pretty, tsv, json, yaml");
    add_watch(app, list_watch_);
    app.footer("Examples:\n  tanistctl list\n  tanistctl list -f tsv\n  tanistctl list -e -W");
  }

  void add_topology() {
    auto options = std::make_shared<ListOptions>();
    options->as_tree = true;
    auto& app = add<ListOptions>(
        "topology", "show who streams from whom", options, [this](ListOptions& list) {
          list.watch = interval_of(topology_watch_.interval, topology_watch_.every_two_seconds);
        });
    add_names(app, "CLUSTER_NAMES", options->clusters, "default: the configuration's scope");
    add_watch(app, topology_watch_);
  }

  void add_hand_over(const std::string& name, bool is_switchover) {
    auto options = std::make_shared<HandOverOptions>();
    options->is_switchover = is_switchover;
    auto& app = add<HandOverOptions>(
        name,
        is_switchover ? "move the leadership to another member, now or later"
                      : "make a member the leader of a cluster that has none, or a broken one",
        options);
    add_cluster(app, options->cluster);
    add_text(app, "--candidate", options->candidate, "who shall lead");
    app.add_flag("--force", options->force, "ask nothing");
    if (!is_switchover) return;
    add_text(app, "--leader,--primary", options->leader, "who leads now");
    add_text(app, "--scheduled", options->scheduled, "when: 'now', or a time as in ISO 8601");
    app.footer(
        "Examples:\n  tanistctl switchover\n"
        "  tanistctl switchover --candidate pg-2 --force\n"
        "  tanistctl switchover --candidate pg-2 --scheduled 2031-05-01T04:00+00:00");
  }

  void add_reload() {
    auto options = std::make_shared<ReloadOptions>();
    auto role = std::make_shared<std::string>("any");
    auto& app =
        add<ReloadOptions>("reload", "let members read their configuration files again", options,
                           [role](ReloadOptions& reload) { reload.role = role_of(*role); });
    add_required_cluster(app, options->cluster);
    add_names(app, "MEMBER_NAMES", options->members, "default: all of the role");
    add_text(app, "-r,--role", *role, role_help);
    app.add_flag("--force", options->force, "ask nothing");
  }

  void add_restart() {
    auto options = std::make_shared<RestartOptions>();
    auto role = std::make_shared<std::string>("any");
    auto& app =
        add<RestartOptions>("restart", "restart PostgreSQL servers, now or later", options,
                            [role](RestartOptions& restart) { restart.role = role_of(*role); });
    add_required_cluster(app, options->cluster);
    add_names(app, "MEMBER_NAMES", options->members, "default: all of the role");
    add_text(app, "-r,--role", *role, role_help);
    app.add_flag("--any", options->any_one, "one member, chosen by chance");
    app.add_flag("--pending", options->pending, "only members whose settings wait for a restart");
    add_text(app, "--pg-version", options->version, "only servers older than X.Y or X.Y.Z");
    add_text(app, "--scheduled", options->scheduled, "when: 'now', or a time as in ISO 8601");
    add_text(app, "--timeout", options->timeout, "how long the start may take, such as 60s");
    app.add_flag("--force", options->force, "ask nothing");
    app.footer(
        "Examples:\n  tanistctl restart shop pg-2\n"
        "  tanistctl restart shop --pending --role replica --force");
  }

  void add_pause(const std::string& name, bool pause) {
    auto options = std::make_shared<PauseOptions>();
    options->pause = pause;
    auto& app = add<PauseOptions>(
        name, pause ? "stop automatic failover and restarts" : "end a pause", options);
    add_cluster(app, options->cluster);
    app.add_flag("--wait", options->wait, "wait until all members know");
  }

  void add_edit_config() {
    auto options = std::make_shared<EditConfigOptions>();
    auto& app =
        add<EditConfigOptions>("edit-config", "change the cluster's configuration", options);
    add_cluster(app, options->cluster);
    add_settings(app, "-s,--set", options->set, "KEY=VALUE; dotted path, YAML; null deletes");
    add_settings(app, "-p,--pg", options->parameters, "NAME=VALUE of a PostgreSQL parameter");
    add_text(app, "--apply", options->apply, "file with keys to change; - = standard input");
    add_text(app, "--replace", options->replace, "file with the whole; - = standard input");
    app.add_flag("-q,--quiet", options->quiet, "do not show the difference");
    app.add_flag("--force", options->force, "ask nothing");
    app.footer(
        "Without -s, -p, --apply and --replace $EDITOR is opened.\nExamples:\n"
        "  tanistctl edit-config\n"
        "  tanistctl edit-config -s synchronous_mode=quorum -p work_mem=16MB --force");
  }

  void add_show_config() {
    auto options = std::make_shared<ShowConfigOptions>();
    auto& app = add<ShowConfigOptions>("show-config", "print the cluster's configuration", options);
    add_cluster(app, options->cluster);
  }

  void add_history() {
    auto options = std::make_shared<HistoryOptions>();
    auto& app = add<HistoryOptions>(
        "history", "show who was promoted, when and why", options,
        [this](HistoryOptions& history) { history.format = format_of(history_format_); });
    add_cluster(app, options->cluster);
    add_text(app, "-f,--format", history_format_, "pretty, tsv, json, yaml");
  }

  void add_version() {
    auto options = std::make_shared<VersionOptions>();
    auto& app =
        add<VersionOptions>("version", "print versions of the tool and of members", options);
    add_cluster(app, options->cluster);
    add_names(app, "MEMBER_NAMES", options->members, "default: all");
  }

  void add_explain() {
    auto options = std::make_shared<ExplainOptions>();
    auto& app = add<ExplainOptions>(
        "explain", "tell how leadership changed: cause, phases, who decided what and why", options,
        [this](ExplainOptions& explain) { explain.format = report_format_of(explain_format_); });
    add_cluster(app, options->cluster);
    add_text(app, "--since", options->since, "all since then: a time, or seconds before now");
    app.add_flag("--last-failover", last_failover_, "the last change (the default)");
    add_text(app, "-f,--format", explain_format_, "text, json, markdown");
    add_settings(app, "--file", options->files, "a journal to read; asks no member, no store");
    app.footer(
        "Examples:\n  tanistctl explain\n"
        "  tanistctl explain --since 3600 -f markdown > incident.md\n"
        "  tanistctl explain --file node1.journal --file node2.journal");
  }

  void add_replay() {
    auto options = std::make_shared<ReplayOptions>();
    auto& app = add<ReplayOptions>(
        "replay", "make the decisions of a journal again and show differences", options);
    app.add_option("FILE", options->file, "a journal")->required()->type_name("");
  }

  void add_whatif() {
    auto options = std::make_shared<WhatIfOptions>();
    auto& app = add<WhatIfOptions>(
        "whatif", "tell who would take over if a node failed now; touches nothing", options,
        [this](WhatIfOptions& whatif) { whatif.format = report_format_of(whatif_format_); });
    const auto take = [options](const CLI::results_t& results) {
      options->member = results.front();
      return true;
    };
    app.add_option("NODE", take, "the node that fails; default: the leader")->type_name("");
    add_text(app, "--cluster", options->cluster, "default: the configuration's scope");
    add_text(app, "-f,--format", whatif_format_, "text, json");
  }

  void add_provision() {
    using Renew = tanist::provision::Renew;
    auto options = std::make_shared<ProvisionOptions>();
    auto& app = add<ProvisionOptions>(
        "provision", "write the files of all hosts of a cluster", options,
        [this](ProvisionOptions& provision) {
          if (renew_.empty()) return;
          if (renew_ == "certificates") provision.renew = Renew::certificates;
          if (renew_ == "authority") provision.renew = Renew::authority;
          if (renew_ == "retire") provision.renew = Renew::retire;
          if (provision.renew != Renew::nothing) return;
          refuse(
              format_text("Invalid value for '--renew': '{}' is not one of 'certificates', "
                          "'authority', 'retire'.",
                          renew_));
        });
    app.add_option("TOPOLOGY", options->topology, "file that describes the cluster")
        ->required()
        ->type_name("");
    app.add_option("-o,--output", options->output, "folder that is written")
        ->required()
        ->type_name("FOLDER");
    add_text(app, "--renew", renew_, "certificates, authority or retire");
    app.add_flag("--overwrite", options->overwrite, "also replace files that were edited");
    app.footer(
        "Example:\n  tanistctl provision topology.yml -o cluster\n"
        "Start from examples/topology-three-nodes.yml; docs/guide/provision.md tells more.");
  }

  Arguments out_;
  CLI::App app_{purpose, "tanistctl"};
  std::string list_format_ = "pretty";
  std::string history_format_ = "pretty";
  std::string renew_;
  std::string explain_format_ = "text";
  std::string whatif_format_ = "text";
  bool last_failover_ = false;
  WatchTexts list_watch_;
  WatchTexts topology_watch_;
};

}  // namespace

Result<Arguments> read_arguments(const std::vector<std::string>& arguments,
                                 const GlobalOptions& defaults) {
  return CommandLine(defaults).read(arguments);
}

}  // namespace tanist::ctl
