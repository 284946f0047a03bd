// SPDX-License-Identifier: Apache-2.0
// --validate-config (contract config 10). Reads the data directory and asks the network; never in a
// running agent.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.h"

namespace tanist::config {

struct ValidateOptions {
  bool ignore_listen_port = false;
  // Does something accept a connection there? Default: a connection within a second.
  std::function<bool(const HostPort&)> answers;
  // What `PROGRAM --version` prints. Default: running it.
  std::function<Result<std::string>(const std::string& program)> version_text;
};

// One line for each problem, "PATH VALUE MESSAGE" in the contract's words; empty = passed. Secrets
// and collections are not shown as values.
std::vector<std::string> validate(const LocalConfig& local, const ValidateOptions& options = {});

}  // namespace tanist::config
