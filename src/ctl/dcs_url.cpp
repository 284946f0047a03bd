// SPDX-License-Identifier: Apache-2.0
// Reading of `-d`. Pure; any thread.
#include "ctl/dcs_url.h"

#include <algorithm>
#include <array>

#include "config/address.h"

namespace tanist::ctl {

namespace {

struct Scheme {
  std::string_view name;
  std::uint16_t port;
};
// The first one with a port is guessed from it.
constexpr std::array schemes{Scheme{"etcd3", 2379}, Scheme{"etcd", 2379}, Scheme{"consul", 8500},
                             Scheme{"exhibitor", 8181}, Scheme{"zookeeper", 2181}};

}  // namespace

Result<DcsUrl> parse_dcs_url(std::string_view text) {
  DcsUrl out;
  const auto* scheme = schemes.begin();
  const auto scheme_end = text.find("://");
  if (scheme_end != std::string_view::npos) {
    out.scheme = text.substr(0, scheme_end);
    scheme = std::ranges::find(schemes, out.scheme, &Scheme::name);
    if (scheme == schemes.end()) return fail(Errc::invalid, "Unknown dcs scheme: {}", out.scheme);
    text.remove_prefix(scheme_end + 3);
  }
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && slash + 1 < text.size()) {
    out.namespace_ = text.substr(slash);
  }
  const auto authority = text.substr(0, slash);
  const auto address = config::parse_host_port(authority.empty() || authority.front() == ':'
                                                   ? "localhost" + std::string(authority)
                                                   : std::string(authority),
                                               scheme->port);
  if (!address) return pass_on(address.error(), "--dcs-url");
  out.host = address->host;
  out.port = address->port;
  if (out.scheme.empty()) {
    const auto* guess = std::ranges::find(schemes, out.port, &Scheme::port);
    out.scheme = guess == schemes.end() ? "etcd3" : guess->name;
  }
  return out;
}

}  // namespace tanist::ctl
