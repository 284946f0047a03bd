// SPDX-License-Identifier: Apache-2.0
// Addresses, networks and passwords. Pure; any thread.
#include "rest/access.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tanist::rest {

namespace ip = boost::asio::ip;

namespace {

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned bits) {
  const auto whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a[whole] >> (8 - rest)) == (b[whole] >> (8 - rest));
}

unsigned width(const Address& address) { return address.is_v4() ? 32 : 128; }

// A host name has letters, digits, dots, hyphens and underscores.
bool may_be_a_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_one_of(std::span<const Address> addresses, const Address& address) {
  return std::ranges::any_of(addresses, [&](const Address& a) { return plain(a) == address; });
}

}  // namespace

Address plain(const Address& address) {
  if (address.is_v4()) return address;
  const auto six = address.to_v6();
  if (six.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, six);
  return ip::address_v6(six.to_bytes());
}

bool Network::contains(const Address& candidate) const {
  const auto other = plain(candidate);
  if (address.is_v4() != other.is_v4()) return false;
  if (address.is_v4()) {
    return same_prefix(address.to_v4().to_bytes(), other.to_v4().to_bytes(), prefix);
  }
  return same_prefix(address.to_v6().to_bytes(), other.to_v6().to_bytes(), prefix);
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  boost::system::error_code error;
  const auto written = ip::make_address(std::string(text.substr(0, slash)), error);
  if (error) return std::nullopt;
  const auto address = plain(written);
  if (slash == std::string_view::npos) return Network{address, width(address)};
  const auto digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, prefix);
  if (parsed.ec != std::errc{} || parsed.ptr != end || prefix > width(written)) return std::nullopt;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8; a shorter prefix would reach beyond mapped addresses.
  const unsigned mapped = width(written) - width(address);
  if (prefix < mapped) return std::nullopt;
  return Network{address, prefix - mapped};
}

AccessRules::AccessRules(const RestSettings& settings, std::vector<std::string>& bad_entries)
    : has_allowlist_(!settings.allowlist.empty()),
      includes_members_(settings.allowlist_include_members),
      wants_certificate_(!settings.cert_file.empty() &&
                         settings.verify_client != VerifyClient::none) {
  for (const auto& entry : settings.allowlist) {
    if (const auto network = parse_network(entry)) {
      networks_.push_back(*network);
    } else if (may_be_a_name(entry)) {
      names_.push_back(entry);
    } else {
      bad_entries.push_back(entry);
    }
  }
  if (!settings.username.empty()) {
    authorization_ = basic_authorization(settings.username, settings.password);
  }
}

bool AccessCheck::admits(const Address& address) const {
  const bool members_count = rules.includes_members_ && protection == Protection::full;
  if (!rules.has_allowlist_ && !members_count) return true;
  const auto caller = plain(address);
  return std::ranges::any_of(rules.networks_, [&](const auto& n) { return n.contains(caller); }) ||
         is_one_of(sources.named, caller) || (members_count && is_one_of(sources.members, caller));
}

std::optional<Response> AccessCheck::refusal(const Caller& caller) const {
  if (protection == Protection::open) return std::nullopt;
  if (!admits(caller.address)) return text(403, "Access is denied");
  if (rules.wants_certificate_ && !caller.has_certificate) {
    return text(403, "client certificate required");
  }
  if (rules.authorization_.empty()) return std::nullopt;
  if (caller.authorization && equal_in_constant_time(*caller.authorization, rules.authorization_)) {
    return std::nullopt;
  }
  auto response = text(401, caller.authorization ? "not authenticated" : "no auth header received");
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"Patroni\"");
  return response;
}

std::vector<std::string> hosts_of(std::string_view list) {
  std::vector<std::string> hosts;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    auto host = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (!host.empty()) hosts.emplace_back(host);
  }
  return hosts;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  // Digests have one length, so not even the length of the secret shows.
  const auto digest = [](std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
    return out;
  };
  const auto first = digest(a);
  const auto second = digest(b);
  return CRYPTO_memcmp(first.data(), second.data(), first.size()) == 0;
}

std::string basic_authorization(const std::string& username, const Secret& password) {
  const auto pair = username + ":" + password.reveal();
  std::string encoded(4 * ((pair.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(pair.data()),
                                     static_cast<int>(pair.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return "Basic " + encoded;
}

}  // namespace tanist::rest
