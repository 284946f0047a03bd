// SPDX-License-Identifier: Apache-2.0
// JSON of the store, of peers and of request bodies.
#include "base/json.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  const auto read = parse_json(fuzz::text_of(data, size));
  if (!read) return 0;
  const auto compact = to_json(*read);
  const auto again = parse_json(compact);
  fuzz::expect(again.has_value(), "written JSON can be read");
  fuzz::expect(to_json(*again) == compact, "it says the same");
  fuzz::expect(parse_json(to_spaced_json(*read)).has_value(), "spaced JSON can be read");
  (void)text_form(*read);
  return 0;
}
