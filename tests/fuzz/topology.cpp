// SPDX-License-Identifier: Apache-2.0
// Topology files of `tanistctl provision`.
#include "provision/topology_reader.h"

#include "tests/fuzz/fuzz.h"
#include "yaml/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  const auto read = yaml::parse_yaml(fuzz::text_of(data, size), "input");
  if (!read) return 0;
  (void)provision::topology_from(read->tree, read->lines, "input");
  return 0;
}
