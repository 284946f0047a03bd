// SPDX-License-Identifier: Apache-2.0
// The tool's configuration: the agent's file, or the part of it that leads to the store and to the
// members (contract ctl 1.1). Reads files.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "core/settings.h"

namespace tanist::ctl {

struct GlobalOptions {
  std::string config_file;  // empty = the default path, which may be absent
  std::string dcs_url;      // empty = as configured
  bool insecure = false;
};

struct ToolConfig {
  config::LocalConfig local;
  std::string scope;  // empty = none is configured
  bool insecure = false;

  // `given`, else the configured scope. Errc::invalid when there is neither.
  Result<std::string> cluster_name(const std::optional<std::string>& given) const;

  // Errors in the contract's words: no store section, or one that cannot be used.
  Result<StoreSettings> store(const std::string& cluster) const;
  Result<PeerClientSettings> peer_client() const;
};

// `default_file` is read when no file was named and it exists.
Result<ToolConfig> load_tool_config(const GlobalOptions& options, const std::string& default_file,
                                    const config::Environment& environment);

// $XDG_CONFIG_HOME/patroni/patronictl.yaml, or the same below ~/.config.
std::string default_config_file();

}  // namespace tanist::ctl
