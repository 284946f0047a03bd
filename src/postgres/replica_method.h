// SPDX-License-Identifier: Apache-2.0
// Which methods a copy is made with, and the command line of those that users bring (contract
// postgres 8.1). Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/server_actions.h"
#include "core/settings.h"

namespace tanist::postgres {

struct ReplicaMethod {
  std::string name;
  bool builtin = false;    // basebackup
  bool keep_data = false;  // what lies in the data directory is left for the method to use

  friend bool operator==(const ReplicaMethod&, const ReplicaMethod&) = default;
};

// In the order in which they are tried; empty when none of them works without a source.
std::vector<ReplicaMethod> replica_methods(const ServerSettings& settings, const CloneData& wanted);

// The command with its arguments. Errc::invalid when the command cannot be split.
Result<std::vector<std::string>> replica_method_command(const ServerSettings& settings,
                                                        const std::string& method,
                                                        const std::string& connstring);

}  // namespace tanist::postgres
