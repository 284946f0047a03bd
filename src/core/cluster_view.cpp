// SPDX-License-Identifier: Apache-2.0
// Facts derived from the cluster view. Pure; any thread.
#include "core/cluster_view.h"

namespace tanist {

Timeline ClusterView::timeline() const {
  if (!history) return Timeline(0);
  if (history->lines.empty()) return Timeline(history->value->is_list() ? 1 : 0);
  return Timeline(history->lines.back().timeline.value() + 1);
}

}  // namespace tanist
