// SPDX-License-Identifier: Apache-2.0
// Parsing of addresses. Pure; any thread.
#include "config/address.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

#include "base/format.h"

namespace tanist::config {

namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end || port == 0) return std::nullopt;
  return port;
}

bool is_ipv6(std::string_view text) {
  std::array<unsigned char, 16> address{};
  const std::string without_zone(text.substr(0, text.find('%')));
  return inet_pton(AF_INET6, without_zone.c_str(), address.data()) == 1;
}

std::string_view without_brackets(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) return host.substr(1, host.size() - 2);
  return host;
}

// The last colon that parts host and port; none in "[::1]" and in a bare IPv6 address whose part
// before its last colon is none.
std::size_t port_colon(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) return std::string_view::npos;
  if (is_ipv6(text) && !is_ipv6(text.substr(0, colon))) return std::string_view::npos;
  return colon;
}

struct Split {
  std::string_view hosts;
  std::uint16_t port = 0;
};

Result<Split> split_port(std::string_view text, std::uint16_t port_default) {
  text = trimmed(text);
  const auto colon = port_colon(text);
  if (colon == std::string_view::npos) {
    if (port_default != 0 && !text.empty()) return Split{text, port_default};
    return fail(Errc::invalid, "\"{}\" is not HOST:PORT", text.substr(0, 100));
  }
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return fail(Errc::invalid, "\"{}\" has no usable port", text.substr(0, 100));
  return Split{text.substr(0, colon), *port};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// %41 -> A; a percent sign without two digits stays.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 &&
                        hex_digit(text[at + 2]) >= 0;
    if (!escape) {
      out += text[at];
      continue;
    }
    out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
    at += 2;
  }
  return out;
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text, std::uint16_t port_default) {
  const auto split = split_port(text, port_default);
  if (!split) return pass_on(split.error());
  ListenAddress out;
  out.port = split->port;
  for (const auto& part : split_commas(split->hosts)) {
    const auto host = without_brackets(part);
    if (host.find(':') != std::string_view::npos && !is_ipv6(host)) {
      return fail(Errc::invalid, "\"{}\" is not HOST:PORT", text.substr(0, 100));
    }
    out.hosts.emplace_back(host);
  }
  if (out.hosts.empty()) out.hosts.emplace_back();
  return out;
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t port_default) {
  auto parsed = parse_listen(text, port_default);
  if (!parsed) return pass_on(parsed.error());
  if (parsed->hosts.size() != 1) {
    return fail(Errc::invalid, "\"{}\" names several hosts, one is expected", text.substr(0, 100));
  }
  return HostPort{std::move(parsed->hosts.front()), parsed->port};
}

std::string to_text(const HostPort& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return format_text("{}{}{}:{}", is_v6 ? "[" : "", address.host, is_v6 ? "]" : "", address.port);
}

Result<ServiceUrl> parse_url(std::string_view text, std::uint16_t port_default) {
  ServiceUrl url;
  text = trimmed(text);
  if (text.starts_with("https://")) {
    url.use_tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return fail(Errc::invalid, "the URL does not begin with http:// or https://");
  }
  text = text.substr(0, text.find_first_of("/?#"));
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const auto user = text.substr(0, at);
    const auto colon = user.find(':');
    url.username = percent_decoded(user.substr(0, colon));
    if (colon != std::string_view::npos)
      url.password = Secret(percent_decoded(user.substr(colon + 1)));
    text.remove_prefix(at + 1);
  }
  auto address = parse_host_port(text, port_default);
  if (!address || address->host.empty()) {
    return fail(Errc::invalid, "the URL names no usable host and port");
  }
  url.address = std::move(*address);
  return url;
}

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const auto comma = text.find(',');
    if (const auto part = trimmed(text.substr(0, comma)); !part.empty()) parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace tanist::config
