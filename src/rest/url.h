// SPDX-License-Identifier: Apache-2.0
// Reading the URLs of peers (`api_url`). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tanist::rest {

struct Url {
  bool tls = false;
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 80;
  std::string target = "/";  // path and query

  // "host:port", as it stands in a URL and in the header `Host`.
  std::string authority() const;

  friend bool operator==(const Url&, const Url&) = default;
};

// "http://host", "https://[::1]:8008/path?query", ... The scheme is read in any case; a fragment is
// dropped. Errc::invalid for another scheme, a bad port, user names, blanks and control characters:
// what others wrote must not become a line of our request.
Result<Url> parse_url(std::string_view text);

}  // namespace tanist::rest
