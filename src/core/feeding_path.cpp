// SPDX-License-Identifier: Apache-2.0
// Paths of replication. Pure; any thread.
#include "core/feeding_path.h"

#include <set>

namespace tanist {

namespace {

// Every node on the way from `name` up to the one that the leader feeds.
struct Path {
  std::vector<Feeding> nodes;
  bool ends = false;  // no loop
};

Path path_of(const Observation& obs, const MemberName& name) {
  Path path;
  std::set<MemberName> seen;
  auto next = name;
  while (seen.insert(next).second) {
    path.nodes.push_back(feeding_of(obs, next));
    const auto& source = path.nodes.back().replicatefrom;
    const bool named = !source.value().empty() && source != next &&
                       (source == obs.node->name || obs.view().member(source) != nullptr);
    if (!named || obs.view().locked_by(source)) {
      path.ends = true;
      break;
    }
    next = source;
  }
  return path;
}

}  // namespace

Feeding feeding_of(const Observation& obs, const MemberName& name) {
  const auto* member = obs.view().member(name);
  const bool own = name == obs.node->name;
  if (!own && member == nullptr) return {.name = name};
  const auto& tags = own ? obs.node->tags : member->tags;
  return {.name = name,
          .nostream = tags.nostream,
          .nofailover = tags.nofailover(),
          .replicatefrom = tags.replicatefrom};
}

bool streams_from_primary(const Observation& obs, const MemberName& name) {
  const auto path = path_of(obs, name);
  return path.ends && std::ranges::none_of(path.nodes, &Feeding::nostream);
}

MemberName fed_by_leader(const Observation& obs, const MemberName& name) {
  return path_of(obs, name).nodes.back().name;
}

bool cascades_from_us(const Observation& obs, const MemberName& name) {
  if (name == obs.node->name) return false;
  const auto path = path_of(obs, name);
  return path.ends && std::ranges::any_of(path.nodes, [&](const Feeding& node) {
           return node.name == obs.node->name;
         });
}

}  // namespace tanist
