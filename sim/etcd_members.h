// SPDX-License-Identifier: Apache-2.0
// The members of the modelled etcd: who leads, who can be reached, requests that are lost before or
// after they were applied, watch streams with lag, compaction and endings. Owned by the cluster.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/etcd.h"
#include "sim/network.h"
#include "store/etcd3_io.h"

namespace tanist::sim {

class EtcdMembers {
 public:
  using Tell = std::function<void(store::Input)>;

  // Their hosts are `first_host` and the following.
  EtcdMembers(World& world, Network& network, int count, Host first_host);

  const Etcd& state() const { return state_; }
  int count() const { return static_cast<int>(members_.size()); }
  Host host(int member) const { return first_host_ + member; }
  int leader() const { return leader_; }
  std::vector<std::string> names() const;
  // All members are there, and commit in their usual time.
  bool is_well() const;

  // `tell` is called when the answer has come back to host `from`, or at the request's deadline.
  void send(Host from, const store::SendRpc& rpc, Instant deadline, Tell tell);

  // A watch of one client; ends when its handle does.
  struct Stream;
  using StreamPtr = std::shared_ptr<Stream>;
  StreamPtr open(Host from, const store::OpenWatch& watch, Tell tell);
  void ask_progress(const StreamPtr& stream);
  void close(const StreamPtr& stream);

  // ---- faults ----
  void take_down(int member);
  void bring_up(int member);
  // A leader that hangs while writing to its disk: it answers keepalives and nothing else.
  void hang(int member);
  void unhang(int member);
  void set_commit_delay(Duration delay) { commit_delay_ = delay; }
  // Chance that a transaction is applied long after its sender has given up, at the latest after
  // `most`.
  void set_late(int permille, Duration most) {
    late_permille_ = permille;
    late_max_ = most;
  }
  void compact();
  void erase_key(const std::string& key);
  // Ends all watches, as a restarted proxy would.
  void end_watches();

 private:
  struct Member {
    int down = 0;
    bool hangs = false;
    std::uint64_t term = 0;  // that it knows, while it hangs
  };

  bool up(int member) const;
  bool linked(int a, int b) const;
  bool leads_majority(int member) const;
  // Can this member answer what needs a quorum?
  bool can_serve(int member) const;
  void look_at_leader();
  void elect();
  void look_at_leases();
  struct Request;
  void serve(int member, std::shared_ptr<Request> request, Instant give_up_at);
  void apply(int member, const std::shared_ptr<Request>& request);
  void reply(int member, const std::shared_ptr<Request>& request, wire::RpcResult result);
  bool answer_while_hanging(int member, const std::shared_ptr<Request>& request);
  void show_all();
  void show(const StreamPtr& stream);
  void say(const StreamPtr& stream, wire::WatchMessage message);
  void deliver(const StreamPtr& stream);
  void end(const StreamPtr& stream, std::string why);

  World& world_;
  Network& network_;
  Random chance_;
  Host first_host_;
  Etcd state_;
  std::vector<Member> members_;
  int leader_ = 0;
  Instant leaderless_since_ = Instant::max();
  bool electing_ = false;
  Duration commit_delay_ = milliseconds(2);
  int late_permille_ = 0;
  Duration late_max_{0};
  std::vector<std::weak_ptr<Stream>> streams_;
  std::uint64_t looks_ = 0;
  Revision shown_;          // to all streams, but for those that are behind
  bool is_behind_ = false;  // some stream
};

}  // namespace tanist::sim
