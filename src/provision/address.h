// SPDX-License-Identifier: Apache-2.0
// IP addresses and networks as a topology names them, and the forms in which configuration files
// want them. Literals only: a firewall, pg_hba.conf and etcd's peers need numbers, not names.
// Values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tanist::provision {

// Of one machine. Constructed by parse() only, hence always valid and in canonical text.
class Address {
 public:
  // Errc::invalid unless `text` is an IPv4 or IPv6 address that one machine can have: neither
  // unspecified (0.0.0.0, ::) nor multicast nor broadcast; no scope, no port, no prefix length.
  static Result<Address> parse(std::string_view text);

  const std::string& text() const { return text_; }
  bool is_v6() const { return v6_; }
  bool is_loopback() const { return loopback_; }
  // As the host part of an URL and of host:port: IPv6 in brackets.
  std::string in_url() const { return v6_ ? "[" + text_ + "]" : text_; }
  std::string with_port(int port) const { return in_url() + ":" + std::to_string(port); }
  // The network that holds this address alone, "10.0.0.1/32".
  std::string as_network() const { return text_ + (v6_ ? "/128" : "/32"); }

  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  Address() = default;

  std::string text_;
  bool v6_ = false;
  bool loopback_ = false;
};

// A CIDR network. Constructed by parse() only; host bits are cleared.
class Network {
 public:
  // Accepts ADDRESS/LENGTH, or a bare address for that address alone. Errc::invalid otherwise.
  static Result<Network> parse(std::string_view text);
  // "0.0.0.0/0" and "::/0".
  static Network everything_v4();
  static Network everything_v6();

  const std::string& text() const { return text_; }
  bool is_v6() const { return v6_; }

  friend auto operator<=>(const Network&, const Network&) = default;

 private:
  Network() = default;

  std::string text_;
  bool v6_ = false;
};

}  // namespace tanist::provision
