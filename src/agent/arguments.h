// SPDX-License-Identifier: Apache-2.0
// The command line of the agent (contract config 1). Pure but for --help and --version, whose text
// is returned to be printed. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tanist::agent {

enum class Mode { run, validate, print_sample, show_text };

struct Arguments {
  Mode mode = Mode::run;
  std::string config_file;  // empty = the environment alone
  bool ignore_listen_port = false;
  bool print = false;
  std::string text;  // of show_text
};

// Errc::invalid with the usage error's text (exit code 2).
Result<Arguments> read_arguments(const std::vector<std::string>& arguments);

}  // namespace tanist::agent
