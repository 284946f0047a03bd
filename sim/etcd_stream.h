// SPDX-License-Identifier: Apache-2.0
// One watch stream of the modelled etcd, as its server sees it.
#pragma once

#include <deque>

#include "sim/etcd_members.h"

namespace tanist::sim {

struct EtcdMembers::Stream {
  Host from = 0;
  int member = 0;
  store::RpcId id;
  std::string key;        // what is watched: one key, or those
  std::string range_end;  // before this one
  Revision next;          // the first that was not shown
  Tell tell;
  bool serving = false;  // the request has arrived
  bool over = false;
  Instant last_arrival;  // messages keep their order
  std::deque<wire::WatchMessage> unheard;

  bool watches(const std::string& changed) const {
    return range_end.empty() ? changed == key : changed >= key && changed < range_end;
  }
};

}  // namespace tanist::sim
