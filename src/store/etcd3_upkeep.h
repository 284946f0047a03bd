// SPDX-License-Identifier: Apache-2.0
// What the machine learns of etcd beside its work: the members' addresses, their versions and
// alarms, and the election timeout (safety 1.1 and 1.6; contract dcs 8; traps 159-162). Pure;
// owned by one machine.
#pragma once

#include <algorithm>
#include <string>

#include "store/etcd3_calls.h"

namespace tanist::store {

// Why this version of etcd is not to be trusted with leases; empty = nothing is known against it.
std::string warning_about_version(const std::string& version);

class Upkeep {
 public:
  // `discover`: etcd is asked for its members; `tls`: only their https addresses count.
  Upkeep(bool discover, bool tls) : discover_(discover), tls_(tls) {}

  void start(Step& step, Calls& calls);
  void done(Step& step, Calls& calls, const Outcome& outcome);
  void tick(Step& step, Calls& calls);
  Instant wake_at() const { return std::min(look_around_at_, probe_at_); }

  // Every endpoint has failed: the members are asked for anew, soon.
  void hurry(Instant now);
  // Addresses from DNS.
  void resolved(Step& step, Calls& calls, const std::vector<std::string>& addresses);

  // 0 = not learned yet.
  Duration election_timeout() const { return election_timeout_; }

 private:
  void look_around(Step& step, Calls& calls);
  void ask_versions(Step& step, Calls& calls);
  void members(Step& step, Calls& calls, const wire::MemberListAnswer& answer);
  void status(Step& step, const Outcome& outcome, const wire::StatusAnswer& answer);
  void probe(Step& step, Calls& calls);
  void probed(Step& step, Calls& calls, const wire::GrantAnswer& answer);
  void use(Step& step, Calls& calls, std::vector<std::string> addresses);

  bool discover_;
  bool tls_;
  std::vector<std::string> from_dns_;
  Instant look_around_at_ = Instant::max();
  Instant looked_around_at_;
  Instant probe_at_ = Instant::max();
  CallId list_call_;
  CallId probe_call_;
  Duration election_timeout_{0};
};

}  // namespace tanist::store
