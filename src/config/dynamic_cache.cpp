// SPDX-License-Identifier: Apache-2.0
// The copy of the dynamic configuration in the data directory (contract config 6.3).
#include <sys/stat.h>

#include "base/json.h"
#include "config/config.h"
#include "os/file.h"

namespace tanist::config {

namespace {

std::string cache_path(const std::string& data_dir) { return data_dir + "/patroni.dynamic.json"; }

// As PostgreSQL's own files: the group reads them when it may read and enter the folder.
mode_t cache_mode(const std::string& data_dir) {
  struct stat status{};
  const bool known = stat(data_dir.c_str(), &status) == 0;
  return known && (status.st_mode & 0050U) == 0050U ? 0640 : 0600;
}

}  // namespace

Result<Tree> read_dynamic_cache(const std::string& data_dir) {
  const auto path = cache_path(data_dir);
  const auto text = os::read_file(path, json_bytes_max);
  if (!text) return pass_on(text.error());
  auto tree = parse_json(*text);
  if (!tree) return pass_on(tree.error(), "{}", path);
  if (!tree->is_map()) return fail(Errc::invalid, "{}: not a JSON object", path);
  return std::move(*tree);
}

Result<void> write_dynamic_cache(const std::string& data_dir, const Tree& dynamic) {
  return os::replace_file(cache_path(data_dir), to_json(dynamic), cache_mode(data_dir));
}

}  // namespace tanist::config
