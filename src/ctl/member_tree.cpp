// SPDX-License-Identifier: Apache-2.0
// The members as a tree. Pure; any thread.
#include "ctl/member_tree.h"

#include <map>

namespace tanist::ctl {

namespace {

using Children = std::map<MemberName, std::vector<MemberName>>;

// The name under which those without a living upstream stand: no member is called so.
const MemberName root;

MemberName parent_of(const ClusterView& view, const MemberView& member) {
  const auto& wanted = member.tags.replicatefrom;
  const bool exists = view.member(wanted) != nullptr && wanted != member.name;
  return exists && !view.locked_by(wanted) ? wanted : root;
}

// Each member has one parent, so nobody is visited twice.
void add_below(const Children& children, const MemberName& parent, std::size_t depth,
               std::vector<TreeNode>& out) {
  const auto at = children.find(parent);
  if (at == children.end()) return;
  for (const auto& child : at->second) {
    out.push_back({child, depth});
    add_below(children, child, depth + 1, out);
  }
}

}  // namespace

std::vector<TreeNode> member_tree(const ClusterView& view) {
  std::vector<TreeNode> out;
  Children children;
  for (const auto& [name, member] : view.members) {
    if (view.locked_by(name)) {
      out.push_back({name, 0});
    } else {
      children[parent_of(view, member)].push_back(name);
    }
  }
  add_below(children, root, 1, out);
  return out;
}

}  // namespace tanist::ctl
