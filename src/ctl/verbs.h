// SPDX-License-Identifier: Apache-2.0
// The tool's commands and their options (contract ctl 4). Each prints to standard output, may ask
// on the terminal, and blocks. An error is printed by main and ends with code 1; Errc::cancelled is
// an aborted prompt. What a member refuses is printed and no error.
#pragma once

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
