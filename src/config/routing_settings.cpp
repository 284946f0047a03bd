// SPDX-License-Identifier: Apache-2.0
// Section routing, tanist's own. Pure; any thread.
#include <algorithm>
#include <cctype>

#include "base/format.h"
#include "config/address.h"
#include "config/routing.h"
#include "config/settings_parts.h"

namespace tanist::config {

namespace {

// They become words of a command line of HAProxy's.
bool is_one_word(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](unsigned char c) {
    return std::isspace(c) || std::iscntrl(c) || c == ';' || c == '/' || c == '\\';
  });
}

Result<void> check_sockets(const Layers& layers, const std::vector<std::string>& sockets) {
  for (const auto& socket : sockets) {
    const auto address = parse_host_port(socket);
    const bool good = socket.starts_with("/") || (address && !address->host.empty());
    if (good) continue;
    return unusable(layers, "routing.haproxy.sockets",
                    format_text("\"{}\" is neither an absolute path nor HOST:PORT", socket));
  }
  return {};
}

Result<void> check_poolers(const Layers& layers, const std::vector<std::string>& hosts) {
  for (const auto& host : hosts) {
    const auto address = parse_host_port(host);
    if (address && !address->host.empty()) continue;
    return unusable(layers, "routing.pgbouncer.hosts",
                    format_text("\"{}\" is neither HOST:PORT nor FOLDER:PORT", host));
  }
  return {};
}

}  // namespace

Result<RoutingSettings> routing_settings(const LocalConfig& local) {
  std::vector<std::string> ignored;
  const auto layers = lay_together(local, Tree(), ignored);
  const auto routing = local_section(layers, "routing");
  const auto haproxy = routing.section("haproxy");
  const auto pgbouncer = routing.section("pgbouncer");
  RoutingSettings out;
  if (const auto text = routing.text("agent_check"); !text.empty()) {
    auto address = parse_host_port(text);
    if (!address) return unusable(layers, "routing.agent_check", "expected HOST:PORT");
    out.agent_check = std::move(*address);
  }
  out.haproxy_sockets = haproxy.texts("sockets");
  out.haproxy_backend = haproxy.text("backend", out.haproxy_backend);
  out.haproxy_server = haproxy.text("server", Section(&layers.local).text("name"));
  out.pgbouncer_hosts = pgbouncer.texts("hosts");
  out.pgbouncer_username = pgbouncer.text("username", "pgbouncer");
  out.pgbouncer_password = pgbouncer.secret("password");
  out.pgbouncer_databases = pgbouncer.texts("databases");
  out.pgbouncer_pause = pgbouncer.flag("pause", false);
  if (!is_one_word(out.haproxy_backend)) {
    return unusable(layers, "routing.haproxy.backend", "the name of a backend is one word");
  }
  const bool is_used = !out.haproxy_sockets.empty() || haproxy.has("server");
  if (is_used && !is_one_word(out.haproxy_server)) {
    return unusable(layers, "routing.haproxy.server", "the name of a server is one word");
  }
  const auto sockets = check_sockets(layers, out.haproxy_sockets);
  if (!sockets) return pass_on(sockets.error());
  const auto poolers = check_poolers(layers, out.pgbouncer_hosts);
  if (!poolers) return pass_on(poolers.error());
  return out;
}

void add_paused_poolers(const RoutingSettings& routing, NodeSettings& node) {
  if (!routing.pgbouncer_pause) return;
  for (const auto& host : routing.pgbouncer_hosts) {
    if (!host.starts_with('/')) node.paused_poolers.push_back(host);
  }
  node.pooler_databases = routing.pgbouncer_databases;
}

}  // namespace tanist::config
