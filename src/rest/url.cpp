// SPDX-License-Identifier: Apache-2.0
// URL parsing. Pure; any thread.
#include "rest/url.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tanist::rest {

namespace {

// Nothing for a scheme that is not spoken here. Moves past it.
std::optional<bool> take_scheme(std::string_view& text) {
  const auto end = text.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  std::string scheme(text.substr(0, end));
  std::ranges::transform(scheme, scheme.begin(), [](unsigned char c) { return std::tolower(c); });
  text.remove_prefix(end + 3);
  if (scheme == "http") return false;
  if (scheme == "https") return true;
  return std::nullopt;
}

struct HostAndPort {
  std::string_view host;
  std::string_view port;  // empty = none
};

std::optional<HostAndPort> split_authority(std::string_view authority) {
  std::size_t end = authority.find(':');
  HostAndPort split;
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    split.host = authority.substr(1, bracket - 1);
    if (split.host.find(':') == std::string_view::npos) return std::nullopt;
    end = bracket + 1;
    if (end < authority.size() && authority[end] != ':') return std::nullopt;
  } else {
    split.host = authority.substr(0, end);
    if (split.host.find_first_of("[]") != std::string_view::npos) return std::nullopt;
  }
  if (end < authority.size()) split.port = authority.substr(end + 1);
  return split;
}

bool read_port(std::string_view digits, std::uint16_t& port) {
  const auto* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, port);
  return parsed.ec == std::errc{} && parsed.ptr == end && port != 0;
}

}  // namespace

std::string Url::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Url> parse_url(std::string_view text) {
  // The text is not repeated where it may hold a password or control characters.
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= 0x20 || c >= 0x7F; })) {
    return fail(Errc::invalid, "a URL has no blanks, control characters or bytes beyond ASCII");
  }
  auto rest = text.substr(0, text.find('#'));
  const auto tls = take_scheme(rest);
  if (!tls) return fail(Errc::invalid, "a URL begins with http:// or https://");
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());
  if (authority.find('@') != std::string_view::npos) {
    return fail(Errc::invalid, "a URL with a user name is not taken; use ctl.authentication");
  }
  const auto split = split_authority(authority);
  if (!split || split->host.empty()) return fail(Errc::invalid, "\"{}\" names no host", text);
  Url url;
  url.tls = *tls;
  url.host = split->host;
  // RFC 6874 writes the zone of a link-local address as %25zone.
  if (const auto zone = url.host.find("%25"); zone != std::string::npos)
    url.host.erase(zone + 1, 2);
  url.port = *tls ? 443 : 80;
  if (!split->port.empty() && !read_port(split->port, url.port)) {
    return fail(Errc::invalid, "\"{}\" has no usable port", text);
  }
  if (!rest.empty())
    url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  return url;
}

}  // namespace tanist::rest
