// SPDX-License-Identifier: Apache-2.0
// Addresses and networks by inet_pton; nothing is ever looked up.
#include "provision/address.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace tanist::provision {

namespace {

// The bytes of an address: 4 or 16 of them are used.
struct Bytes {
  std::array<std::uint8_t, 16> data{};
  std::size_t count = 0;

  bool is_v6() const { return count == 16; }
  std::span<std::uint8_t> used() { return std::span(data).first(count); }
};

std::optional<Bytes> bytes_of(std::string_view text) {
  const std::string terminated(text);
  Bytes bytes;
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data.data()) == 1) {
    bytes.count = 4;
    return bytes;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data.data()) == 1) {
    bytes.count = 16;
    return bytes;
  }
  return std::nullopt;
}

std::string text_of(const Bytes& bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(bytes.is_v6() ? AF_INET6 : AF_INET, bytes.data.data(), text, sizeof text);
  return text;
}

bool is_unspecified(const Bytes& bytes) { return bytes.data == decltype(bytes.data){}; }

bool is_multicast_or_broadcast(const Bytes& bytes) {
  return bytes.is_v6() ? bytes.data[0] == 0xff : bytes.data[0] >= 224;
}

bool is_loopback(const Bytes& bytes) {
  if (!bytes.is_v6()) return bytes.data[0] == 127;
  decltype(bytes.data) loopback{};
  loopback[15] = 1;
  return bytes.data == loopback;
}

void clear_host_bits(Bytes& bytes, int prefix_length) {
  int left = prefix_length;
  for (auto& byte : bytes.used()) {
    if (left < 8) byte &= static_cast<std::uint8_t>(0xff00 >> (left < 0 ? 0 : left));
    left -= 8;
  }
}

std::optional<int> prefix_length_of(std::string_view text, int length_max) {
  constexpr std::size_t digits_max = 3;
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  int length = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    length = length * 10 + (c - '0');
  }
  return length <= length_max ? std::optional(length) : std::nullopt;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  const auto bytes = bytes_of(text);
  if (!bytes) return fail(Errc::invalid, "'{}' is no IPv4 or IPv6 address", text);
  if (is_unspecified(*bytes) || is_multicast_or_broadcast(*bytes)) {
    return fail(Errc::invalid, "{} is not the address of one machine", text);
  }
  Address address;
  address.text_ = text_of(*bytes);
  address.v6_ = bytes->is_v6();
  address.loopback_ = provision::is_loopback(*bytes);
  return address;
}

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  auto bytes = bytes_of(text.substr(0, slash));
  if (!bytes) return fail(Errc::invalid, "'{}' is no network such as 10.0.0.0/8", text);
  const int length_max = bytes->is_v6() ? 128 : 32;
  const auto length = slash == std::string_view::npos
                          ? std::optional(length_max)
                          : prefix_length_of(text.substr(slash + 1), length_max);
  if (!length) {
    return fail(Errc::invalid, "'{}': the prefix length is a number from 0 to {}", text,
                length_max);
  }
  clear_host_bits(*bytes, *length);
  Network network;
  network.text_ = text_of(*bytes) + "/" + std::to_string(*length);
  network.v6_ = bytes->is_v6();
  return network;
}

Network Network::everything_v4() { return *parse("0.0.0.0/0"); }

Network Network::everything_v6() { return *parse("::/0"); }

}  // namespace tanist::provision
