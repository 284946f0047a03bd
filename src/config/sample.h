// SPDX-License-Identifier: Apache-2.0
// --generate-sample-config (contract config 1.2).
#pragma once

#include <string>

#include "config/config.h"

namespace tanist::config {

// What the sample takes from the machine.
struct SampleFacts {
  std::string host_name;
  std::string address;     // "" = unknown
  int major_version = 15;  // of the server: 15, or 906 for 9.6
};

// Runs `postgres --version` of the environment's bin_dir. Errc::failed "Failed to get postgres
// version: CAUSE".
Result<SampleFacts> sample_facts(const Environment& environment);

// The sample's text, without a line break at the end; values of the environment where set, #FIXME
// where the user must decide.
std::string sample_config(const Environment& environment, const SampleFacts& facts);

}  // namespace tanist::config
