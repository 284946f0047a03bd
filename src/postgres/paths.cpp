// SPDX-License-Identifier: Apache-2.0
// File names.
#include "postgres/paths.h"

#include <filesystem>

namespace tanist::postgres {

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string file_name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string absolute_path(const std::string& path, const std::string& folder) {
  return path.starts_with('/') ? path : folder + "/" + path;
}

Paths::Paths(const ServerSettings& settings) : data(without_trailing_slash(settings.data_dir)) {
  config_folder = settings.config_dir.empty() ? data : without_trailing_slash(settings.config_dir);
  main = config_folder + "/" + settings.config_base_name + ".conf";
  base = config_folder + "/" + settings.config_base_name + ".base.conf";
  included = settings.custom_conf.empty() ? file_name_of(base) : settings.custom_conf;
  hba = config_folder + "/pg_hba.conf";
  ident = config_folder + "/pg_ident.conf";
  auto_conf = in_data("postgresql.auto.conf");
  backed_up = {main};
  if (settings.custom_conf.empty()) backed_up.push_back(base);
  if (!settings.parameters.contains("hba_file")) backed_up.push_back(hba);
  if (!settings.parameters.contains("ident_file")) backed_up.push_back(ident);
}

std::string Paths::backup_of(const std::string& path) const {
  return in_data(file_name_of(path) + ".backup");
}

}  // namespace tanist::postgres
