// SPDX-License-Identifier: Apache-2.0
// The dynamic configuration: a PATCH upon a stored document, and the settings that become of it.
#include "base/json.h"
#include "config/config.h"
#include "core/cluster_settings.h"
#include "tests/fuzz/fuzz.h"
#include "yaml/yaml.h"

namespace {

tanist::config::LocalConfig local_config() {
  tanist::config::LocalConfig local;
  local.tree = tanist::yaml::parse_yaml(
                   "{scope: demo, name: n1, restapi: {listen: '127.0.0.1:8008'},"
                   " etcd3: {host: '127.0.0.1:2379'},"
                   " postgresql: {data_dir: /data, listen: '127.0.0.1:5432',"
                   " parameters: {max_connections: 50},"
                   " authentication: {replication: {username: rep}}}}",
                   "local")
                   ->tree;
  local.source = "local";
  return local;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  static const auto local = local_config();
  const auto patch = parse_json(fuzz::text_of(data, size));
  if (!patch || !patch->is_map()) return 0;
  auto stored = *parse_json(
      R"({"ttl": 30, "loop_wait": 10, "postgresql": {"parameters": {"max_connections": 100}}})");
  deep_patch(stored, *patch);
  // A null inside of what is new is kept the first time and removes itself the second, as in
  // Patroni.
  auto again = stored;
  deep_patch(again, *patch);
  fuzz::expect(!deep_patch(again, *patch), "a patch laid again and again changes nothing more");
  (void)cluster_settings_from(stored);
  std::vector<std::string> warnings;
  (void)config::effective_settings(local, stored, &warnings);
  return 0;
}
