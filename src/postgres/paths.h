// SPDX-License-Identifier: Apache-2.0
// Where the server's files are (contract postgres 6.1). Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/settings.h"

namespace tanist::postgres {

struct Paths {
  explicit Paths(const ServerSettings& settings);

  std::string data;
  std::string config_folder;  // the data directory unless config_dir is set
  std::string main;           // CONFDIR/NAME.conf: generated
  std::string base;           // CONFDIR/NAME.base.conf: the original
  std::string included;       // what `main` includes: custom_conf, else the base file's name
  std::string hba;
  std::string ident;
  std::string auto_conf;  // postgresql.auto.conf

  std::string in_data(std::string_view name) const { return data + "/" + std::string(name); }
  // DATADIR/FILE.backup of a configuration file.
  std::string backup_of(const std::string& path) const;
  // The configuration files that are backed up and restored (contract postgres 6.6).
  std::vector<std::string> backed_up;
};

// Without trailing slashes (trap 111); "/" stays.
std::string without_trailing_slash(std::string path);

std::string file_name_of(const std::string& path);
std::string folder_of(const std::string& path);

// The value of `parameter` as a path: relative ones are relative to `folder`.
std::string absolute_path(const std::string& path, const std::string& folder);

}  // namespace tanist::postgres
