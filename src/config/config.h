// SPDX-License-Identifier: Apache-2.0
// The agent's configuration: read from files and environment, checked, merged with the dynamic
// document of the store, and made into typed Settings (contract config). These functions read and
// write files: never on the loop's thread, except effective_settings, which is pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tree.h"
#include "core/settings.h"

namespace tanist::config {

// Variables by full name. A value, so that a reload merges the same ones again and tests need no
// real environment.
using Environment = std::map<std::string, std::string>;

// Takes every PATRONI_ variable and TANIST_GUARD out of the process environment, so that no child
// sees them. Once, before the first thread.
Environment take_environment();

struct LocalConfig {
  Tree tree;           // file and environment merged, as --print shows it
  std::string source;  // the file or folder, PATRONI_CONFIGURATION, or "environment"
  // Dotted path -> "FILE:LINE", or the variable's name.
  std::map<std::string, std::string> where;
  std::vector<std::string> warnings;  // sentences for the log, location first

  // "FILE:LINE: " of the path or of what holds it; empty when unknown.
  std::string location(std::string_view path) const;
};

// From the first usable source: `path` (a file, or a folder with *.yml and *.yaml), the text in
// PATRONI_CONFIGURATION, the variables alone (contract config 2). A path that does not exist, or
// "", falls through. Errc::invalid in the contract's words with location and remedy: broken YAML,
// no mapping, the reserved name, parameters that are no mapping; Errc::not_found "Config is
// empty."
Result<LocalConfig> load_local(const std::string& path, const Environment& environment);

// The layers of contract config 2 as typed settings. `dynamic` is the store's document or its
// cache; null stands for the local bootstrap.dcs. Each value that cannot be used becomes its
// default and adds a sentence to `warnings`.
// Errc::invalid when the agent cannot start with it (or, on a reload, must keep what it has):
// the message names key, location and remedy.
Result<Settings> effective_settings(const LocalConfig& local, const Tree& dynamic,
                                    std::vector<std::string>* warnings);

// The parts that the control tool needs of a file that may lack everything else (the scope too: it
// is also given on the command line).
Result<StoreSettings> store_settings(const LocalConfig& local);
Result<PeerClientSettings> peer_client_settings(const LocalConfig& local);

// For --print: block YAML, keys sorted, postgresql.bin_dir added when absent (contract config 10).
std::string print_config(const LocalConfig& local);

// DATA_DIR/patroni.dynamic.json, the last dynamic configuration seen. Errc::not_found when there
// is none, invalid when it is no JSON object.
Result<Tree> read_dynamic_cache(const std::string& data_dir);
// Replaces it; mode 0600, or 0640 in a data directory that its group may read (contract postgres
// 6.1).
Result<void> write_dynamic_cache(const std::string& data_dir, const Tree& dynamic);

}  // namespace tanist::config
