// SPDX-License-Identifier: Apache-2.0
// The address of the store as `-d` gives it (contract ctl 1.1). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tanist::ctl {

struct DcsUrl {
  std::string scheme;
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string namespace_;  // empty = that of the configuration
};

// [scheme://][host][:port][/namespace]. What is missing: host localhost, the port by the scheme,
// the scheme by the port. Where Patroni would guess etcd's old v2 API, this is etcd3: the only one
// that could work. Errc::invalid for another scheme or a bad port.
Result<DcsUrl> parse_dcs_url(std::string_view text);

}  // namespace tanist::ctl
