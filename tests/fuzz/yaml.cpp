// SPDX-License-Identifier: Apache-2.0
// YAML files. What was read must be written such that it reads as the same.
#include "yaml/yaml.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  const auto read = yaml::parse_yaml(fuzz::text_of(data, size), "input");
  if (!read) return 0;
  const auto again = yaml::parse_yaml(yaml::to_yaml(read->tree), "again");
  fuzz::expect(again.has_value(), "written YAML can be read");
  // Keys are sorted when written, so the text decides.
  fuzz::expect(yaml::to_yaml(again->tree) == yaml::to_yaml(read->tree), "it says the same");
  return 0;
}
