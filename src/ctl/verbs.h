// SPDX-License-Identifier: Apache-2.0
// The tool's commands and their options (contract ctl 4). Each prints to standard output, may ask
// on the terminal, and blocks. An error is printed by main and ends with code 1; Errc::cancelled is
// an aborted prompt. What a member refuses is printed and no error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ctl/report.h"
#include "ctl/selection.h"
#include "ctl/table.h"
#include "ctl/tool_config.h"
#include "provision/provision.h"

namespace tanist::ctl {

// Seconds between two looks; 0 = one look.
using WatchInterval = std::chrono::duration<double>;

struct ListOptions {
  std::vector<std::string> clusters;
  Format format = Format::pretty;
  bool extended = false;
  bool timestamp = false;
  bool as_tree = false;  // `topology`
  bool as_patronictl = false;
  WatchInterval watch{0};
};
Result<void> list(const ToolConfig& config, const ListOptions& options);

struct ShowConfigOptions {
  std::optional<std::string> cluster;
};
Result<void> show_config(const ToolConfig& config, const ShowConfigOptions& options);

struct HistoryOptions {
  std::optional<std::string> cluster;
  Format format = Format::pretty;
};
Result<void> history(const ToolConfig& config, const HistoryOptions& options);

struct VersionOptions {
  std::string program = "tanistctl";  // as it was called
  std::optional<std::string> cluster;
  std::vector<std::string> members;
};
Result<void> version(const ToolConfig& config, const VersionOptions& options);

struct HandOverOptions {
  bool is_switchover = true;  // false: `failover`
  std::optional<std::string> cluster;
  std::optional<std::string> leader;
  std::optional<std::string> candidate;
  std::optional<std::string> scheduled;
  bool force = false;
  bool tells_phases = true;  // not as patronictl, which does not
};
Result<void> hand_over(const ToolConfig& config, const HandOverOptions& options);

struct ReloadOptions {
  std::string cluster;
  std::vector<std::string> members;
  MemberRole role = MemberRole::any;
  bool force = false;
};
Result<void> reload(const ToolConfig& config, const ReloadOptions& options);

struct RestartOptions {
  std::string cluster;
  std::vector<std::string> members;
  MemberRole role = MemberRole::any;
  bool any_one = false;
  bool pending = false;
  std::optional<std::string> version;
  std::optional<std::string> scheduled;
  std::optional<std::string> timeout;
  bool force = false;
};
Result<void> restart(const ToolConfig& config, const RestartOptions& options);

struct PauseOptions {
  bool pause = true;  // false: `resume`
  std::optional<std::string> cluster;
  bool wait = false;
};
Result<void> pause_or_resume(const ToolConfig& config, const PauseOptions& options);

struct EditConfigOptions {
  std::optional<std::string> cluster;
  std::vector<std::string> set;         // KEY=VALUE
  std::vector<std::string> parameters;  // NAME=VALUE
  std::optional<std::string> apply;     // file, `-` = standard input
  std::optional<std::string> replace;   // the same
  bool quiet = false;
  bool force = false;
};
Result<void> edit_config(const ToolConfig& config, const EditConfigOptions& options);

struct ReinitOptions {
  std::string cluster;
  std::vector<std::string> members;
  bool from_leader = false;
  bool wait = false;
  bool force = false;
};
Result<void> reinit(const ToolConfig& config, const ReinitOptions& options);

struct FlushOptions {
  std::string cluster;
  std::vector<std::string> members;
  bool restarts = true;  // false: the scheduled switchover
  MemberRole role = MemberRole::any;
  bool force = false;
};
Result<void> flush(const ToolConfig& config, const FlushOptions& options);

struct RemoveOptions {
  std::string cluster;
  Format format = Format::pretty;
};
Result<void> remove_cluster(const ToolConfig& config, const RemoveOptions& options);

// Of one member: by name or by role, not both; the leader if neither is given.
struct TargetOptions {
  std::optional<MemberRole> role;
  std::optional<std::string> member;
};

struct DsnOptions {
  std::optional<std::string> cluster;
  TargetOptions target;
};
Result<void> dsn(const ToolConfig& config, const DsnOptions& options);

struct QueryOptions {
  std::optional<std::string> cluster;
  TargetOptions target;
  std::optional<std::string> command;
  std::optional<std::string> file;  // readable when the command line was read
  std::string format = "tsv";       // any other word prints nothing
  std::string delimiter = "\t";
  std::optional<std::string> username;
  bool asks_password = false;
  std::optional<std::string> dbname;
  WatchInterval watch{0};
};
Result<void> query(const ToolConfig& config, const QueryOptions& options);

struct StandbyClusterOptions {
  bool demote = true;  // false: `promote-cluster`
  std::optional<std::string> cluster;
  std::optional<std::string> host;
  std::optional<std::int64_t> port;
  std::optional<std::string> restore_command;
  std::optional<std::string> primary_slot_name;
  bool force = false;
};
Result<void> change_standby_cluster(const ToolConfig& config, const StandbyClusterOptions& options);

struct DoctorOptions {
  std::optional<std::string> cluster;
  Format format = Format::pretty;
  bool quiet = false;
  std::int64_t days = 30;
};
// An error when anything is wrong; what, was printed.
Result<void> doctor(const ToolConfig& config, const DoctorOptions& options);
// How leadership changed, from the nodes' journals and the store's digests.
struct ExplainOptions {
  std::optional<std::string> cluster;
  std::optional<std::string> since;  // absent = the last change only
  ReportFormat format = ReportFormat::text;
  std::vector<std::string> files;  // journals to read instead of asking the cluster
};
Result<void> explain(const ToolConfig& config, const ExplainOptions& options);

struct ReplayOptions {
  std::string file;
};
// An error when a decision comes out differently.
Result<void> replay(const ReplayOptions& options);

struct WhatIfOptions {
  std::optional<std::string> cluster;
  std::optional<std::string> member;  // absent = the leader
  ReportFormat format = ReportFormat::text;
};
Result<void> whatif(const ToolConfig& config, const WhatIfOptions& options);

struct ProvisionOptions {
  std::string topology;
  std::string output;
  tanist::provision::Renew renew = tanist::provision::Renew::nothing;
  bool overwrite = false;
};
Result<void> provision_cluster(const ProvisionOptions& options);

}  // namespace tanist::ctl
