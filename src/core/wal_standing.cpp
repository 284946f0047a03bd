// SPDX-License-Identifier: Apache-2.0
// Comparison of logs. Pure; any thread.
#include "core/wal_standing.h"

#include <algorithm>

namespace tanist {

Lsn common_position(const ClusterView& view, Timeline timeline, Lsn position) {
  if (timeline == Timeline() || !view.history) return position;
  // Where the own timeline's line is missing, the log left the cluster's before the next fork.
  const auto fork = std::ranges::find_if(
      view.history->lines, [&](const HistoryLine& line) { return line.timeline >= timeline; });
  return fork == view.history->lines.end() ? position : std::min(position, fork->switch_lsn);
}

Lsn common_position(const ClusterView& view, const PeerReport& report) {
  return common_position(view, report.timeline, report.wal_position);
}

Standing standing_of(const PeerReport& peer, Timeline timeline, Lsn position) {
  const bool known = peer.timeline != Timeline() && timeline != Timeline();
  if (known && peer.wal_position != Lsn() && peer.timeline != timeline) {
    return peer.timeline > timeline ? Standing::ahead : Standing::behind;
  }
  if (peer.wal_position == position) return Standing::level;
  return peer.wal_position > position ? Standing::ahead : Standing::behind;
}

}  // namespace tanist
