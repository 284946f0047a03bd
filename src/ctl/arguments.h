// SPDX-License-Identifier: Apache-2.0
// From the words of the command line to the options of a command (contract ctl 1 and 4). Pure but
// for a look whether a file that is named can be read; what is to be printed is returned. Any
// thread.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

// Help, a completion script or a page of the manual.
struct ShowText {
  std::string text;
};

using Command =
    std::variant<ShowText, ListOptions, ShowConfigOptions, HistoryOptions, VersionOptions,
                 HandOverOptions, ReloadOptions, RestartOptions, PauseOptions, EditConfigOptions,
                 ReinitOptions, FlushOptions, RemoveOptions, DsnOptions, QueryOptions,
                 StandbyClusterOptions, DoctorOptions, ExplainOptions, ReplayOptions, WhatIfOptions,
                 ProvisionOptions>;

struct Arguments {
  GlobalOptions global;
  Command command;
};

// `defaults` counts where an option is absent; `program` is what the tool was called as.
// Errc::invalid with all lines of a usage error (exit code 2), "Error: ..." being the last.
Result<Arguments> read_arguments(const std::vector<std::string>& arguments,
                                 const GlobalOptions& defaults,
                                 const std::string& program = "tanistctl");

}  // namespace tanist::ctl
