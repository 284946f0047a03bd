// SPDX-License-Identifier: Apache-2.0
// Who may change something (contract rest 3): source address, client certificate, password, in
// that order, each of them where it is configured. Pure; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/settings.h"
#include "rest/documents.h"
#include "rest/routes.h"

namespace tanist::rest {

using Address = boost::asio::ip::address;

// ::ffff:a.b.c.d (an IPv4 client of a dual-stack socket) as a.b.c.d; any other as it is, without
// its scope.
Address plain(const Address& address);

// An address or a CIDR network; host bits may be set.
struct Network {
  Address address;
  unsigned prefix = 0;  // bits that must be equal

  bool contains(const Address& candidate) const;
};

// Nothing when `text` is neither an address nor a network.
std::optional<Network> parse_network(std::string_view text);

// The access part of RestSettings, read once per configuration.
class AccessRules {
 public:
  AccessRules() = default;
  // Entries of the allowlist that cannot be understood are left out and named in `bad_entries`.
  AccessRules(const RestSettings& settings, std::vector<std::string>& bad_entries);

  // Host names of the allowlist; their addresses are looked up by the caller.
  const std::vector<std::string>& names() const { return names_; }
  bool includes_members() const { return includes_members_; }

 private:
  friend struct AccessCheck;

  bool has_allowlist_ = false;  // configured, even when no entry of it is usable
  bool includes_members_ = false;
  std::vector<Network> networks_;
  std::vector<std::string> names_;
  bool wants_certificate_ = false;
  std::string authorization_;  // expected value of the header, empty = no password needed
};

// Who asks.
struct Caller {
  Address address;
  bool has_certificate = false;                   // presented and verified
  std::optional<std::string_view> authorization;  // value of the header
};

// Addresses behind names, as far as they are known now.
struct KnownSources {
  std::vector<Address> named;    // of AccessRules::names()
  std::vector<Address> members;  // of all members' api_url; empty without a valid snapshot
};

struct AccessCheck {
  const AccessRules& rules;
  Protection protection;
  const KnownSources& sources;

  // Check 1 alone: false means 403, unless a name yet to be looked up says otherwise.
  bool admits(const Address& address) const;
  // The first check that fails, as its response. Passwords are compared in constant time.
  std::optional<Response> refusal(const Caller& caller) const;
};

// The hosts of a comma list, without the brackets of IPv6 addresses.
std::vector<std::string> hosts_of(std::string_view list);

// True when both are equal; takes the same time wherever they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// The value of an `Authorization` header.
std::string basic_authorization(const std::string& username, const Secret& password);

}  // namespace tanist::rest
