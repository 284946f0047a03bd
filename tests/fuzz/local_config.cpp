// SPDX-License-Identifier: Apache-2.0
// The operator's configuration file: settings, the store's addresses.
#include "config/config.h"
#include "tests/fuzz/fuzz.h"
#include "yaml/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  auto read = yaml::parse_yaml(fuzz::text_of(data, size), "input");
  if (!read) return 0;
  config::LocalConfig local;
  local.tree = std::move(read->tree);
  local.source = "input";
  std::vector<std::string> warnings;
  (void)config::effective_settings(local, Tree(), &warnings);
  (void)config::store_settings(local);
  (void)config::peer_client_settings(local);
  (void)config::print_config(local);
  return 0;
}
