// SPDX-License-Identifier: Apache-2.0
// What another member answers to GET /patroni, and the address that it publishes.
#include "base/json.h"
#include "core/peer_report.h"
#include "rest/routes.h"
#include "rest/url.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  const auto [which, text] = fuzz::choose(fuzz::text_of(data, size));
  if (which == 'u') {
    if (const auto url = rest::parse_url(text)) (void)url->authority();
  } else if (which == 'q') {
    const auto target = rest::split_target(text);
    (void)rest::Query(target.query).all();
  } else if (const auto body = parse_json(text)) {
    (void)peer_report_from(MemberName("b"), *body);
  }
  return 0;
}
