// SPDX-License-Identifier: Apache-2.0
// Choice of upstreams. Pure; any thread.
#include "core/upstream.h"

#include <string_view>
#include <vector>

#include "core/local_server.h"

namespace tanist {

std::optional<Upstream> upstream_of(const MemberView& member) {
  std::string_view url = member.conn_url;
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  url.remove_prefix(scheme + 3);
  if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  Upstream upstream;
  upstream.member = member.name;
  if (const auto slash = url.find('/'); slash != std::string_view::npos) {
    upstream.database = url.substr(slash + 1, url.find('?', slash) - slash - 1);
    url = url.substr(0, slash);
  }
  const auto colon = url.rfind(':');
  const auto bracket = url.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  upstream.port = has_port ? std::string(url.substr(colon + 1)) : "5432";
  std::string_view host = has_port ? url.substr(0, colon) : url;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return std::nullopt;
  upstream.host = host;
  return upstream;
}

namespace {

void use_own_slot(const Observation& obs, std::optional<Upstream>& upstream) {
  if (upstream && obs.node->use_slots) upstream->slot = slot_name_of(obs.node->name);
}

const ClusterView& view_to_follow(const Observation& obs) {
  const bool keeps = paused(obs) && !obs.view().locked() && obs.memory->locked_view;
  return keeps ? *obs.memory->locked_view : obs.view();
}

}  // namespace

std::optional<Upstream> remote_source(const Observation& obs) {
  if (!in_standby_cluster(obs)) return std::nullopt;
  const auto& standby = *obs.cluster->standby_cluster;
  if (standby.host.empty() && standby.port.empty()) return std::nullopt;
  Upstream upstream;
  upstream.is_remote = true;
  upstream.host = standby.host;
  upstream.port = standby.port.empty() ? "5432" : standby.port;
  upstream.slot = standby.primary_slot_name;
  return upstream;
}

std::optional<Upstream> leader_source(const Observation& obs) {
  const auto* leader = view_to_follow(obs).leader_member();
  if (leader == nullptr || leader->name == obs.node->name) return std::nullopt;
  return upstream_of(*leader);
}

std::optional<Upstream> rewind_source(const Observation& obs) {
  return in_standby_cluster(obs) ? remote_source(obs) : leader_source(obs);
}

std::string name_of_source(const Upstream& source) {
  return source.is_remote ? source.host + ":" + source.port : source.member.value();
}

std::optional<Upstream> choose_upstream(const Observation& obs) {
  const auto& tags = obs.node->tags;
  if (tags.nostream) return std::nullopt;
  const auto& view = obs.view();
  const bool leads = obs.holds_lock() || view.locked_by(obs.node->name);
  if (in_standby_cluster(obs) && (leads || (!view.locked() && !paused(obs)))) {
    return remote_source(obs);
  }
  std::optional<Upstream> upstream;
  const auto* named = view.member(tags.replicatefrom);
  if (named != nullptr && named->name != obs.node->name) upstream = upstream_of(*named);
  if (!upstream) upstream = leader_source(obs);
  use_own_slot(obs, upstream);
  return upstream;
}

std::optional<Upstream> clone_source(const Observation& obs, std::uint64_t chance) {
  const auto& view = obs.view();
  std::vector<const MemberView*> offers;
  for (const auto& [name, member] : view.members) {
    if (name != obs.node->name && !view.locked_by(name) && member.tags.clonefrom &&
        member.state == ServerState::running && upstream_of(member)) {
      offers.push_back(&member);
    }
  }
  if (!offers.empty()) return upstream_of(*offers[chance % offers.size()]);
  return leader_source(obs);
}

}  // namespace tanist
