// SPDX-License-Identifier: Apache-2.0
// Leader, requests and their fates.
#include "sim/etcd_members.h"

#include "sim/etcd_stream.h"

namespace tanist::sim {

namespace {

constexpr Duration look_interval = milliseconds(250);
constexpr Duration wait_for_quorum = seconds(5);

}  // namespace

struct EtcdMembers::Request {
  Host from = 0;
  store::SendRpc rpc;
  Tell tell;
  bool answered = false;
};

EtcdMembers::EtcdMembers(World& world, Network& network, int count, Host first_host)
    : world_(world),
      network_(network),
      chance_(world.chance().fork()),
      first_host_(first_host),
      members_(static_cast<std::size_t>(count)) {
  look_at_leader();
}

std::vector<std::string> EtcdMembers::names() const {
  std::vector<std::string> names;
  for (int i = 0; i < count(); ++i) names.push_back("e" + std::to_string(i + 1));
  return names;
}

// ---- Who leads -------------------------------------------------------------------------------

bool EtcdMembers::up(int member) const {
  return members_[static_cast<std::size_t>(member)].down == 0;
}

bool EtcdMembers::is_well() const {
  if (leader_ < 0 || !leads_majority(leader_) || commit_delay_ > milliseconds(20)) return false;
  for (const auto& member : members_) {
    if (member.down > 0 || member.hangs) return false;
  }
  return true;
}

bool EtcdMembers::linked(int a, int b) const {
  return a == b || network_.connected(host(a), host(b));
}

bool EtcdMembers::leads_majority(int member) const {
  if (!up(member) || members_[static_cast<std::size_t>(member)].hangs) return false;
  int reached = 0;
  for (int other = 0; other < count(); ++other) reached += up(other) && linked(member, other);
  return 2 * reached > count();
}

bool EtcdMembers::can_serve(int member) const {
  const bool hangs = members_[static_cast<std::size_t>(member)].hangs;
  return leader_ >= 0 && up(member) && !hangs && linked(member, leader_) && leads_majority(leader_);
}

// Every now and then, as heartbeats would.
void EtcdMembers::look_at_leader() {
  world_.after(look_interval, [this] { look_at_leader(); });
  if (++looks_ % 2 == 0) look_at_leases();
  const bool good = leader_ >= 0 && leads_majority(leader_);
  if (good) {
    leaderless_since_ = Instant::max();
    show_all();
    return;
  }
  if (leaderless_since_ == Instant::max()) leaderless_since_ = world_.now();
  if (!electing_) {
    electing_ = true;
    const auto patience = chance_.between(Etcd::election_timeout, 2 * Etcd::election_timeout);
    world_.after(patience, [this] { elect(); });
  }
  // Watches demand a leader (metadata `hasleader`).
  if (world_.now() - leaderless_since_ > 3 * Etcd::election_timeout) end_watches();
}

void EtcdMembers::elect() {
  electing_ = false;
  if (leader_ >= 0 && leads_majority(leader_)) return;
  const auto first = static_cast<int>(chance_.below(members_.size()));
  for (int i = 0; i < count(); ++i) {
    const int member = (first + i) % count();
    if (!leads_majority(member)) continue;
    leader_ = member;
    leaderless_since_ = Instant::max();
    state_.elect(world_.now());
    world_.tell("etcd", "member {} leads, term {}", member + 1, state_.header().raft_term);
    return;
  }
}

// etcd looks for expired leases every half a second.
void EtcdMembers::look_at_leases() {
  if (leader_ < 0 || !leads_majority(leader_)) return;
  if (!state_.revoke_expired(world_.now())) return;
  world_.tell("etcd", "a lease has run out, revision {}", state_.revision().value());
  show_all();
}

// ---- Requests --------------------------------------------------------------------------------

void EtcdMembers::send(Host from, const store::SendRpc& rpc, Instant deadline, Tell tell) {
  auto request = std::make_shared<Request>(Request{from, rpc, std::move(tell)});
  world_.at(deadline, [request] {
    if (std::exchange(request->answered, true)) return;
    const wire::RpcError late{wire::Code::deadline_exceeded, "Deadline Exceeded"};
    request->tell(store::RpcAnswered{request->rpc.id, tl::unexpected(late)});
  });
  const auto& endpoint = rpc.endpoint;
  const int member = std::stoi(endpoint.substr(1, endpoint.find(':') - 1)) - 1;
  network_.send(from, host(member), [this, member, request, deadline] {
    serve(member, request, std::min(deadline, world_.now() + wait_for_quorum));
  });
}

bool EtcdMembers::answer_while_hanging(int member, const std::shared_ptr<Request>& request) {
  const auto& state = members_[static_cast<std::size_t>(member)];
  if (!state.hangs) return false;
  const auto* keep = std::get_if<wire::KeepAliveRequest>(&request->rpc.request);
  if (keep == nullptr) return true;
  // As long as nobody else leads, the lease is renewed in its memory: it counts when it goes on.
  if (member == leader_) state_.perform(request->rpc.request, world_.now());
  wire::KeepAliveAnswer answer{state_.header(), keep->lease, state_.lease_ttl(keep->lease)};
  answer.header.raft_term = state.term;
  if (answer.ttl_seconds > 0) reply(member, request, answer);
  return true;
}

void EtcdMembers::serve(int member, std::shared_ptr<Request> request, Instant give_up_at) {
  if (!up(member)) {
    const wire::RpcError refused{wire::Code::unavailable, "connection refused"};
    return reply(member, request, tl::unexpected(refused));
  }
  if (answer_while_hanging(member, request)) return;
  if (std::holds_alternative<wire::StatusRequest>(request->rpc.request)) {
    return reply(member, request, state_.perform(request->rpc.request, world_.now()));
  }
  if (!can_serve(member)) {
    if (world_.now() >= give_up_at) {
      const wire::RpcError none{wire::Code::unavailable, "etcdserver: request timed out"};
      return reply(member, request, tl::unexpected(none));
    }
    world_.after(milliseconds(100),
                 [this, member, request, give_up_at] { serve(member, request, give_up_at); });
    return;
  }
  const bool late = std::holds_alternative<wire::TxnRequest>(request->rpc.request) &&
                    chance_.permille(late_permille_);
  const auto delay = late ? chance_.between(milliseconds(500), late_max_)
                          : chance_.between(commit_delay_ / 4, 2 * commit_delay_);
  if (late) world_.tell("etcd", "a transaction will be applied late");
  world_.after(delay, [this, member, request] { apply(member, request); });
}

void EtcdMembers::apply(int member, const std::shared_ptr<Request>& request) {
  if (leader_ < 0 || !leads_majority(leader_)) return;  // lost with the leader
  auto result = state_.perform(request->rpc.request, world_.now());
  world_.note(static_cast<std::uint64_t>(state_.revision().value()));
  show_all();
  reply(member, request, std::move(result));
}

void EtcdMembers::reply(int member, const std::shared_ptr<Request>& request,
                        wire::RpcResult result) {
  network_.send(host(member), request->from, [request, result = std::move(result)]() mutable {
    if (std::exchange(request->answered, true)) return;
    request->tell(store::RpcAnswered{request->rpc.id, std::move(result)});
  });
}

// ---- Faults ----------------------------------------------------------------------------------

void EtcdMembers::take_down(int member) {
  ++members_[static_cast<std::size_t>(member)].down;
  for (const auto& weak : streams_) {
    const auto stream = weak.lock();
    if (stream && stream->member == member) end(stream, "connection reset");
  }
}

void EtcdMembers::bring_up(int member) { --members_[static_cast<std::size_t>(member)].down; }

void EtcdMembers::hang(int member) {
  members_[static_cast<std::size_t>(member)].hangs = true;
  members_[static_cast<std::size_t>(member)].term = state_.header().raft_term;
}

void EtcdMembers::unhang(int member) { members_[static_cast<std::size_t>(member)].hangs = false; }

void EtcdMembers::compact() { state_.compact(state_.revision()); }

void EtcdMembers::erase_key(const std::string& key) {
  state_.erase(key);
  show_all();
}

void EtcdMembers::end_watches() {
  for (const auto& weak : streams_) {
    if (const auto stream = weak.lock()) end(stream, "etcdserver: no leader");
  }
}

}  // namespace tanist::sim
