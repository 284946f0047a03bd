// SPDX-License-Identifier: Apache-2.0
// Who streams from whom, as an indented list (contract ctl 4.2). Pure; any thread.
#pragma once

#include <cstddef>
#include <vector>

#include "core/cluster_view.h"

namespace tanist::ctl {

struct TreeNode {
  MemberName member;
  std::size_t depth = 0;  // 0 = the leader
};

// The leader first, then replicas depth first, siblings by name. Without a leader every replica
// has depth 1 at least. Members whose `replicatefrom` tags form a circle are absent.
std::vector<TreeNode> member_tree(const ClusterView& view);

}  // namespace tanist::ctl
