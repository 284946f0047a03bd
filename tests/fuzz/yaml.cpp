// SPDX-License-Identifier: Apache-2.0
// YAML files. What was read must be written such that it reads as the same.
#include "yaml/yaml.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  const auto read = yaml::parse_yaml(fuzz::text_of(data, size), "input");
  if (!read) return 0;
  const auto written = yaml::to_yaml(read->tree);
  // To PyYAML, whose text we write, these are line breaks; to the reader, YAML 1.2, they are not.
  for (const auto* line_break : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    if (written.find(line_break) != std::string::npos) return 0;
  }
  const auto again = yaml::parse_yaml(written, "again");
  fuzz::expect(again.has_value(), "written YAML can be read");
  // Keys are sorted when written, so the text decides.
  fuzz::expect(yaml::to_yaml(again->tree) == written, "it says the same");
  return 0;
}
