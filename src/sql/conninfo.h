// SPDX-License-Identifier: Apache-2.0
// Connection strings as text (contract postgres 11.1): building, reading, comparing. Pure; any
// thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tanist::sql {

// libpq keyword -> value. An absent keyword means libpq's default; an empty value is absent.
using Keywords = std::map<std::string, std::string>;

// "dbname=postgres user=rep host=10.0.0.1 ...": in the contract's order, keywords that it does not
// name at the end. Quotes, backslashes and white space are escaped by a backslash; nothing is
// quoted.
std::string format_conninfo(const Keywords& keywords);

// Reads the keyword/value form and the URL form (postgres://, postgresql://) as libpq does.
// Errc::invalid otherwise; the message does not repeat the text, which may hold a password.
Result<Keywords> parse_conninfo(std::string_view text);

// Removes keywords that a libpq of this major version does not know (trap 172).
void drop_newer_keywords(Keywords& keywords, std::int64_t major_version);

// One place to connect to, of a comma-separated list of hosts and ports.
struct HostAndPort {
  std::string host;  // a name, an address, or a folder with sockets; empty = libpq's default
  std::string port;  // empty = libpq's default

  friend bool operator==(const HostAndPort&, const HostAndPort&) = default;
};

// As libpq pairs them: one port serves all hosts.
std::vector<HostAndPort> hosts_of(const Keywords& keywords);

// Server settings for the keyword `options`: "-c name=value ...", escaped.
std::string format_options(const std::map<std::string, std::string>& settings);

}  // namespace tanist::sql
