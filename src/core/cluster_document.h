// SPDX-License-Identifier: Apache-2.0
// The cluster as GET /cluster shows it and as the control tool lists it (contract rest 8 and ctl
// 3). Pure; any thread.
#pragma once

#include <string>

#include "core/cluster_settings.h"
#include "core/cluster_view.h"

namespace tanist {

// The role of a member in lists: leader, standby_leader, sync_standby, quorum_standby, replica.
std::string listed_role(const ClusterView& view, const ClusterSettings& settings,
                        const MemberView& member);

Tree cluster_document(const ClusterView& view, const ClusterSettings& settings,
                      const std::string& scope);

}  // namespace tanist
