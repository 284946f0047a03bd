// SPDX-License-Identifier: Apache-2.0
// An agent's process in the modelled world: the real loop and the real etcd machine, driven as
// agent/driver drives them: the same order of effects, events from a queue, one timer. What it
// loses when it dies, and what a successor finds, is as with the real one. Owned by its node.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/loop/loop.h"
#include "sim/etcd_port.h"
#include "sim/guard.h"
#include "sim/pooler.h"
#include "sim/server_actions.h"
#include "store/etcd3_machine.h"

namespace tanist::sim {

class Agent;

// Reads what is written all the time once for all nodes of a process.
class SharedReading {
 public:
  const MemberView& member(const MemberName& name, const store::StoredKey& key) {
    auto& last = members_[name];
    if (last.first != key) last = {key, store::decode_member(name, key)};
    return last.second;
  }
  const StatusView& status(const store::StoredKey& key) {
    if (status_.first != key) status_ = {key, store::decode_status(key)};
    return status_.second;
  }
  store::KeyReaders readers() {
    return {
        [this](const MemberName& name, const store::StoredKey& key) { return member(name, key); },
        [this](const store::StoredKey& key) { return status(key); }};
  }

 private:
  std::map<MemberName, std::pair<store::StoredKey, MemberView>> members_;
  std::pair<store::StoredKey, StatusView> status_;
};

struct AgentSurroundings {
  ServerSurroundings server;
  EtcdPort& etcd;
  Pooler& pooler;
  SharedReading& reading;
  const MachineClock& clock;
  std::function<Agent*(const std::string& host)> peer;
};

// How the node was configured.
struct AgentSettings {
  NodeSettings node;
  Tree first_config;
};

class Agent {
 public:
  using Reply = std::function<void(const ApiReply&)>;

  Agent(AgentSurroundings around, AgentSettings settings, Server& server, Guard& guard);

  const std::string& name() const { return settings_.node.name.value(); }
  Process& process() { return process_; }
  const Process& process() const { return process_; }
  Host host() const { return server_.host(); }

  void start();
  // SIGKILL.
  void kill();
  // SIGTERM; it comes back only when started.
  void shut_down();
  void request(ApiEndpoint endpoint, Tree body, Reply reply);
  // Its canary tells it of the disk soon.
  void look_at_storage();

  // ---- for checkers and clients ----
  // A health check of `/primary` would be answered with 200.
  bool says_primary() const;
  std::uint64_t steps() const { return steps_; }
  const Tags& tags() const { return settings_.node.tags; }
  const agent::Loop* loop() const { return loop_ ? &*loop_ : nullptr; }
  // Told of each effect, before it is begun.
  std::function<void(Task)> on_effect;
  // Told of each order to the guard, before it is carried out.
  std::function<void(const GuardOrder&)> on_guard_order;
  // The supervisor's word: the process has ended by itself.
  std::function<void(std::int64_t code)> on_leave;

 private:
  const Status& status() const;
  // agent.cpp: events and effects
  void begin(std::optional<agent::Adoption> adoption);
  void deliver(agent::Event event);
  void drain();
  void drain_soon();
  void set_timer(Instant at);
  void perform(agent::Effects effects);
  void obey(const GuardOrder& order);
  void tell_guard_state();
  std::string primary_allowed() const;
  void start(const agent::Effect& effect);
  void start(const agent::Effect& effect, const AgentAction& action);
  void tell_pooler(EffectId id, const TellPoolers& tell, Duration limit);
  void finish(EffectId id, ServerResult result);
  void leave(std::int64_t code);
  void tell_story(const agent::Effects& effects);
  // agent_io.cpp: store and peers
  void step_store(store::Input input);
  void perform(store::Outputs outputs);
  void perform(const store::Output& output);
  void ask_peers(EffectId id, const AskPeers& ask, Duration limit);
  struct Consent;
  void ask_failsafe(EffectId id, const AskFailsafe& ask, Duration limit);
  void ask_consent(const std::shared_ptr<Consent>& consent, const PeerAddress& peer, int attempts);
  void ask_peer(const PeerAddress& peer, std::function<void(Tree)> answer);
  EtcdPort::Tell into_store();
  // Its REST API is open, and the loop has published something.
  bool answers() const { return process_.runs() && api_open_ && published_; }

  AgentSurroundings around_;
  AgentSettings settings_;
  Server& server_;
  Guard& guard_;
  Random chance_;
  Process process_;
  ServerActions actions_;

  std::optional<agent::Loop> loop_;
  mutable std::optional<Status> status_;  // after the last step; made when somebody asks
  std::optional<store::Etcd3Machine> store_;
  Instant store_timer_;
  std::uint64_t store_timer_number_ = 0;
  Instant timer_ = Instant::max();  // that is set
  std::uint64_t timer_number_ = 0;
  std::map<store::RpcId, EtcdPort::Watch> watches_;
  std::vector<agent::Event> events_;
  bool draining_ = false;
  bool api_open_ = false;
  Instant lock_until_;
  bool published_ = false;
  Tree config_;  // cached
  std::map<RequestId, Reply> replies_;
  std::uint64_t last_request_ = 0;
  std::string last_line_;
  std::uint64_t steps_ = 0;
};

}  // namespace tanist::sim
