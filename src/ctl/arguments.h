// SPDX-License-Identifier: Apache-2.0
// The tool's command line (contract ctl 1 and 4). Pure: what is to be printed is returned; values
// of environment variables are arguments. Any thread.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

// Help that was asked for.
struct ShowText {
  std::string text;
};

using Command =
    std::variant<ShowText, ListOptions, ShowConfigOptions, HistoryOptions, VersionOptions,
                 HandOverOptions, ReloadOptions, RestartOptions, PauseOptions, EditConfigOptions,
                 ExplainOptions, ReplayOptions, WhatIfOptions, ProvisionOptions>;

struct Arguments {
  GlobalOptions global;
  Command command;
};

// `defaults` counts where an option is absent. Errc::invalid with all lines of a usage error (exit
// code 2), "Error: ..." being the last.
Result<Arguments> read_arguments(const std::vector<std::string>& arguments,
                                 const GlobalOptions& defaults);

}  // namespace tanist::ctl
