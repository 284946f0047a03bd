// SPDX-License-Identifier: Apache-2.0
// Links between hosts: delay, loss, slowness, and cuts of one direction. A message that meets a cut
// or is lost never arrives; who needs reliability repeats it. Owned by the cluster.
#pragma once

#include <vector>

#include "sim/world.h"

namespace tanist::sim {

using Host = int;

class Network {
 public:
  Network(World& world, int hosts);

  int hosts() const { return hosts_; }
  // `what` happens at the far end after the link's delay, unless the message is lost.
  template <class What>
  void send(Host from, Host to, What&& what) {
    if (is_cut(from, to) || loses(from, to)) return;
    world_.after(delay(from, to), std::forward<What>(what));
  }
  Duration delay(Host from, Host to);
  // The next message on this link is lost.
  bool loses(Host from, Host to);
  // Neither direction is cut.
  bool connected(Host a, Host b) const { return !is_cut(a, b) && !is_cut(b, a); }
  bool troubled(Host from, Host to) const {
    const auto& each = link(from, to);
    return each.cut > 0 || each.loss_permille > 0 || each.extra > Duration(0);
  }
  bool is_cut(Host from, Host to) const { return link(from, to).cut > 0; }

  // Cuts count, so that two faults may overlap.
  void cut(Host from, Host to) { ++link(from, to).cut; }
  void mend(Host from, Host to) { --link(from, to).cut; }
  void set_loss(Host from, Host to, int permille) { link(from, to).loss_permille = permille; }
  void set_slowness(Host from, Host to, Duration extra) { link(from, to).extra = extra; }

 private:
  struct Link {
    int cut = 0;
    int loss_permille = 0;
    Duration extra{0};
  };
  Link& link(Host from, Host to) { return links_[static_cast<std::size_t>(from * hosts_ + to)]; }
  const Link& link(Host from, Host to) const {
    return links_[static_cast<std::size_t>(from * hosts_ + to)];
  }

  World& world_;
  Random chance_;
  int hosts_;
  Duration base_;
  std::vector<Link> links_;
};

}  // namespace tanist::sim
