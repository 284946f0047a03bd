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
  Revision next;  // the first that was not shown
  Tell tell;
  bool serving = false;  // the request has arrived
  bool over = false;
  Instant last_arrival;  // messages keep their order
  std::deque<wire::WatchMessage> unheard;
};

}  // namespace tanist::sim
