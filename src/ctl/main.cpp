// SPDX-License-Identifier: Apache-2.0
// tanistctl, the operator's tool: wiring only.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "ctl/arguments.h"
#include "ctl/terminal.h"

namespace {

using namespace tanist;       // NOLINT(google-build-using-namespace): a program
using namespace tanist::ctl;  // NOLINT(google-build-using-namespace): a program

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// A link named patronictl makes the tool call itself that.
std::string program_name(const char* path) {
  const std::string_view name(path != nullptr ? path : "");
  return name.substr(name.rfind('/') + 1) == "patronictl" ? "patronictl" : "tanistctl";
}

// Runs the command that was chosen; the configuration is read only by those that need it.
struct Run {
  const GlobalOptions& global;
  const config::Environment& environment;

  Result<void> operator()(const ShowText& show) const {
    print(show.text);
    return {};
  }
  Result<void> operator()(const ProvisionOptions& options) const {
    return provision_cluster(options);
  }
  Result<void> operator()(const ReplayOptions& options) const { return replay(options); }
  // Journals that are files need no cluster.
  Result<void> operator()(const ExplainOptions& options) const {
    if (options.files.empty()) return with(explain, options);
    return explain(ToolConfig{}, options);
  }
  Result<void> operator()(const WhatIfOptions& options) const { return with(whatif, options); }
  Result<void> operator()(const ListOptions& options) const { return with(list, options); }
  Result<void> operator()(const ShowConfigOptions& options) const {
    return with(show_config, options);
  }
  Result<void> operator()(const HistoryOptions& options) const { return with(history, options); }
  Result<void> operator()(const VersionOptions& options) const { return with(version, options); }
  Result<void> operator()(const HandOverOptions& options) const { return with(hand_over, options); }
  Result<void> operator()(const ReloadOptions& options) const { return with(reload, options); }
  Result<void> operator()(const RestartOptions& options) const { return with(restart, options); }
  Result<void> operator()(const PauseOptions& options) const {
    return with(pause_or_resume, options);
  }
  Result<void> operator()(const EditConfigOptions& options) const {
    return with(edit_config, options);
  }
  Result<void> operator()(const ReinitOptions& options) const { return with(reinit, options); }
  Result<void> operator()(const FlushOptions& options) const { return with(flush, options); }
  Result<void> operator()(const RemoveOptions& options) const {
    return with(remove_cluster, options);
  }
  Result<void> operator()(const DsnOptions& options) const { return with(dsn, options); }
  Result<void> operator()(const QueryOptions& options) const { return with(query, options); }
  Result<void> operator()(const StandbyClusterOptions& options) const {
    return with(change_standby_cluster, options);
  }
  Result<void> operator()(const DoctorOptions& options) const { return with(doctor, options); }

 private:
  template <class Options>
  Result<void> with(Result<void> (*verb)(const ToolConfig&, const Options&),
                    const Options& options) const {
    const auto config = load_tool_config(global, default_config_file(), environment);
    if (!config) return pass_on(config.error());
    return verb(*config, options);
  }
};

}  // namespace

int main(int count, char** words) {
  abort_on_interrupt();
  for (const auto* name : {"LOGLEVEL", "PATRONI_LOGLEVEL", "PATRONI_LOG_LEVEL"}) {
    choose_log_level(variable(name));
  }
  const auto environment = config::take_environment();
  const GlobalOptions defaults{.config_file = variable("PATRONICTL_CONFIG_FILE"),
                               .dcs_url = variable("DCS_URL")};
  const auto program = program_name(count > 0 ? words[0] : nullptr);
  const auto arguments = read_arguments(
      std::vector<std::string>(words + std::min(count, 1), words + count), defaults, program);
  if (!arguments) {
    std::fprintf(stderr, "%s\n", arguments.error().message.c_str());
    return 2;
  }
  const auto done = std::visit(Run{arguments->global, environment}, arguments->command);
  if (done) return 0;
  const bool is_aborted = done.error().code == Errc::cancelled;
  std::fprintf(stderr, "%s%s\n", is_aborted ? "" : "Error: ", done.error().message.c_str());
  return 1;
}
