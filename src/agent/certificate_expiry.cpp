// SPDX-License-Identifier: Apache-2.0
// Expiry of certificates, in words.
#include "agent/certificate_expiry.h"

#include "base/format.h"
#include "rest/tls.h"

namespace tanist::agent {

namespace {

constexpr Duration notice = std::chrono::days(14);

// Who does not take an expired one, in the order of rest::certificate_owners.
constexpr std::array<std::string_view, rest::certificate_owners.size()> consequences{
    "etcd refuses new connections of this node, and without etcd it can not lead",
    "load balancers, members and tools that verify it refuse to speak to this node's REST API",
    "members that verify it refuse requests of this node",
    "clients and standbys that verify it can not connect to this server any more"};

constexpr std::string_view remedy =
    "Remedy: renew it (tanistctl provision --renew certificates), put it there, then reload";

// A relative path of the server is one of its data directory.
std::string path_of_server(const ServerSettings& server) {
  const auto at = server.parameters.find("ssl_cert_file");
  if (at == server.parameters.end() || at->second.empty()) return {};
  return at->second.starts_with('/') ? at->second : server.data_dir + "/" + at->second;
}

}  // namespace

Certificates read_certificates(const Settings& settings) {
  Certificates found{{{settings.store.use_tls ? settings.store.cert_file : "", {}},
                      {settings.rest.cert_file, {}},
                      {settings.peer_client.cert_file, {}},
                      {path_of_server(settings.server), {}}}};
  for (auto& file : found) {
    if (!file.path.empty()) file.until = rest::expiry_of_file(file.path);
  }
  return found;
}

std::vector<LogLine> ExpiryNews::about(const Certificates& certificates, WallTime now) {
  std::vector<LogLine> lines;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const auto& [path, until] = certificates[i];
    if (until != of_[i]) said_[i] = Said::nothing;
    of_[i] = until;
    if (!until) continue;
    const auto grade = now >= *until           ? Said::expired
                       : *until - now < notice ? Said::soon
                                               : Said::nothing;
    if (grade <= said_[i]) continue;
    said_[i] = grade;
    const auto what = format_text("certificate {} ({})", path, rest::certificate_owners[i]);
    if (grade == Said::expired) {
      lines.push_back({LineLevel::error, format_text("{} has expired at {}: {}. {}", what,
                                                     to_iso8601(*until), consequences[i], remedy)});
    } else {
      lines.push_back({LineLevel::warning,
                       format_text("{} expires at {}. {}", what, to_iso8601(*until), remedy)});
    }
  }
  return lines;
}

}  // namespace tanist::agent
