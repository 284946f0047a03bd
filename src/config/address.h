// SPDX-License-Identifier: Apache-2.0
// Addresses as they are written in configuration files (contract config 3, "host:port"). Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "core/settings.h"

namespace tanist::config {

// Splits at the last colon; IPv6 hosts with or without brackets, which are taken off. Without a
// port `port_default` is used, 0 = a port is required. Errc::invalid otherwise.
Result<HostPort> parse_host_port(std::string_view text, std::uint16_t port_default = 0);

struct ListenAddress {
  std::vector<std::string> hosts;  // "" and "*" as written
  std::uint16_t port = 0;
};

// Several hosts before one port: "a,b,[::1]:5432".
Result<ListenAddress> parse_listen(std::string_view text, std::uint16_t port_default);

// "host:port", IPv6 in brackets.
std::string to_text(const HostPort& address);

struct ServiceUrl {
  bool use_tls = false;
  HostPort address;
  std::string username;
  Secret password;
};

// http(s)://[user:password@]host[:port][/...]. The error never shows the text: it may hold a
// password.
Result<ServiceUrl> parse_url(std::string_view text, std::uint16_t port_default);

// The parts of a text with commas, blanks around them removed, empty ones left out.
std::vector<std::string> split_commas(std::string_view text);

}  // namespace tanist::config
