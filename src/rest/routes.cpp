// SPDX-License-Identifier: Apache-2.0
// The table of handlers, and the reading of targets and queries. Pure; any thread.
#include "rest/routes.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/format.h"

namespace tanist::rest {

namespace {

struct Row {
  std::string_view method;
  std::string_view segment;
  Route route;
};

constexpr Route page(Handler handler) { return {handler, Protection::open, BodyRule::ignored, {}}; }

constexpr Route read(ApiEndpoint endpoint) {
  return {Handler::loop, Protection::open, BodyRule::ignored, endpoint};
}

constexpr Route write(ApiEndpoint endpoint, BodyRule body) {
  return {Handler::loop, Protection::full, body, endpoint};
}

using E = ApiEndpoint;
using B = BodyRule;

constexpr std::array rows{
    Row{"GET", "liveness", page(Handler::liveness)},
    Row{"GET", "readiness", page(Handler::readiness)},
    Row{"GET", "patroni", page(Handler::patroni)},
    Row{"GET", "cluster", read(E::get_cluster)},
    Row{"GET", "history", page(Handler::history)},
    Row{"GET", "config", page(Handler::config)},
    Row{"GET", "metrics", page(Handler::metrics)},
    Row{"GET", "failsafe", page(Handler::failsafe)},
    // Read-only, but large, and it tells more than any other page: as guarded as what is unsafe.
    Row{"GET", "journal", write(E::get_journal, B::ignored)},
    Row{"PATCH", "config", write(E::patch_config, B::required)},
    Row{"PUT", "config", write(E::put_config, B::required)},
    Row{"POST", "switchover", write(E::switchover, B::required)},
    Row{"DELETE", "switchover", write(E::cancel_switchover, B::ignored)},
    Row{"POST", "failover", write(E::failover, B::required)},
    Row{"POST", "restart", write(E::restart, B::optional)},
    Row{"DELETE", "restart", write(E::cancel_restart, B::ignored)},
    Row{"POST", "reload", write(E::reload, B::ignored)},
    Row{"POST", "reinitialize", write(E::reinitialize, B::optional)},
    Row{"POST", "failsafe", {Handler::loop, Protection::without_members, B::required, E::failsafe}},
    Row{"POST", "sigterm", {Handler::sigterm, Protection::full, B::ignored, {}}},
    Row{"POST", "citus", {Handler::mpp, Protection::full, B::required, {}}},
    Row{"POST", "mpp", {Handler::mpp, Protection::open, B::required, {}}},
};

std::optional<std::string_view> first_segment(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  return path.substr(0, path.find('/'));
}

// "http://host:port/path" without scheme and authority.
std::string_view without_authority(std::string_view target) {
  if (target.starts_with('/')) return target;
  const auto scheme = target.find("://");
  if (scheme == std::string_view::npos || scheme > target.find_first_of("/?")) return target;
  const auto authority = target.substr(scheme + 3);
  const auto end = authority.find_first_of("/?");
  return end == std::string_view::npos ? "/" : authority.substr(end);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A percent sign without two digits stands for itself.
std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size();
    const int high = escape ? hex_digit(text[at + 1]) : -1;
    const int low = escape ? hex_digit(text[at + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      out += text[at] == '+' ? ' ' : text[at];
    }
  }
  return out;
}

}  // namespace

Route route_of(std::string_view method, std::string_view path) {
  if (method == "HEAD" || method == "OPTIONS") return page(Handler::health_bare);
  const auto segment = first_segment(path);
  const auto* row = std::ranges::find_if(rows, [&](const Row& candidate) {
    return segment && candidate.method == method && candidate.segment == *segment;
  });
  if (row != rows.end()) return row->route;
  return page(method == "GET" ? Handler::health : Handler::unsupported);
}

std::string endpoint_table() {
  constexpr std::array access{"open to all", "guarded", "guarded; members need to be listed"};
  constexpr std::array body{"ignored", "optional", "required"};
  std::string out = "| method | path | access | body |\n| --- | --- | --- | --- |\n";
  for (const auto& [method, segment, route] : rows) {
    out += format_text("| {} | `/{}` | {} | {} |\n", method, segment,
                       access.at(static_cast<std::size_t>(route.protection)),
                       body.at(static_cast<std::size_t>(route.body)));
  }
  return out;
}

Target split_target(std::string_view target) {
  target = without_authority(target);
  const auto mark = target.find('?');
  Target split;
  split.path = target.substr(0, mark);
  if (mark != std::string_view::npos) split.query = target.substr(mark + 1);
  while (split.path.starts_with("//")) split.path.remove_prefix(1);
  if (split.path.empty()) split.path = "/";
  return split;
}

Query::Query(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || equals + 1 == pair.size()) continue;
    auto name = decoded(pair.substr(0, equals));
    if (find(name) != nullptr) continue;
    parameters_.emplace_back(std::move(name), decoded(pair.substr(equals + 1)));
  }
}

const std::string* Query::find(std::string_view name) const {
  const auto at = std::ranges::find_if(parameters_, [&](const auto& p) { return p.first == name; });
  return at == parameters_.end() ? nullptr : &at->second;
}

}  // namespace tanist::rest
