// SPDX-License-Identifier: Apache-2.0
// Real servers driven by postgres/, and the simulator's.
#include "server_subject.h"

#include <gtest/gtest.h>

#include <csignal>

#include "postgres/test_node.h"
#include "sim/server_actions.h"

namespace tanist::conformance {

namespace {

std::string name_of_node(int node) { return "n" + std::to_string(node + 1); }

// ---- Real ------------------------------------------------------------------------------------

class RealServers final : public ServerSubject {
 public:
  explicit RealServers(int nodes) {
    for (int i = 0; i < nodes; ++i) {
      nodes_.push_back(std::make_unique<postgres::TestNode>(cluster_, name_of_node(i), i));
    }
  }

  ServerResult perform(int node, ServerAction action) override {
    return at(node).perform(std::move(action));
  }
  Upstream upstream(int node) const override {
    return nodes_[static_cast<std::size_t>(node)]->as_upstream();
  }
  bool write(int node) override {
    at(node).query("CREATE TABLE IF NOT EXISTS public.rows (n int)");
    return at(node).query("INSERT INTO public.rows SELECT 1 RETURNING n") == "1";
  }
  void kill(int node) override {
    const auto who = at(node).observe().postmaster;
    if (who) ::kill(static_cast<pid_t>(who->pid), SIGKILL);
    at(node).see([](const ServerFacts& facts) { return !facts.postmaster; });
  }
  void pass(Duration time) override {
    os::run_until_done(cluster_.loop, os::pause(os::Limit{}.within(time)));
  }

 private:
  postgres::TestNode& at(int node) { return *nodes_[static_cast<std::size_t>(node)]; }

  postgres::TestCluster cluster_;
  std::vector<std::unique_ptr<postgres::TestNode>> nodes_;
};

// ---- Modelled --------------------------------------------------------------------------------

class ModelledServers final : public ServerSubject {
 public:
  explicit ModelledServers(int nodes) : world_(1, false), network_(world_, nodes) {
    const sim::ServerSurroundings around{world_, network_, records_,
                                         [this](const std::string& host) { return find(host); },
                                         [this] { return newest_timeline(); }};
    for (int i = 0; i < nodes; ++i) nodes_.push_back(std::make_unique<Node>(around, i));
  }

  ServerResult perform(int node, ServerAction action) override {
    std::optional<ServerResult> result;
    auto& of = *nodes_[static_cast<std::size_t>(node)];
    of.guard.arm(Reign{LeaseId(1), Revision(1)}, of.clock.now() + std::chrono::hours(1));
    of.actions.start(EffectId(++last_id_), std::move(action),
                     [&result](ServerResult given) { result = std::move(given); });
    while (!result) world_.run_until(world_.now() + milliseconds(1));
    return std::move(*result);
  }
  Upstream upstream(int node) const override {
    return {.member = MemberName(name_of_node(node)), .host = name_of_node(node), .port = "5432"};
  }
  bool write(int node) override {
    auto& server = nodes_[static_cast<std::size_t>(node)]->server;
    if (!server.writable()) return false;
    server.commit(++rows_);
    pass(milliseconds(100));
    return true;
  }
  void kill(int node) override { nodes_[static_cast<std::size_t>(node)]->server.kill(); }
  void pass(Duration time) override { world_.run_until(world_.now() + time); }

 private:
  struct Node {
    Node(const sim::ServerSurroundings& around, int number)
        : clock(around.world, Duration(0), 0),
          agent(around.world),
          server(around, name_of_node(number), number),
          guard(around.world, clock, server),
          actions(around, clock, server, guard, agent) {
      agent.start();
      guard.open();
      sim::ServerHooks hooks;
      hooks.started = [](ProcessIdentity) {};
      hooks.exited = [](ProcessIdentity) {};
      hooks.progress = [](const StopProgress&) {};
      hooks.primary_allowed = [] { return std::string(); };
      hooks.find = around.find;
      actions.begin(std::move(hooks));
    }
    sim::MachineClock clock;
    sim::Process agent;
    sim::Server server;
    sim::Guard guard;
    sim::ServerActions actions;
  };

  sim::Server* find(const std::string& host) {
    for (const auto& node : nodes_) {
      if (node->server.name() == host) return &node->server;
    }
    return nullptr;
  }
  Timeline newest_timeline() {
    Timeline newest;
    for (const auto& node : nodes_) {
      newest = std::max(newest, node->server.data().wal.timeline);
    }
    return newest;
  }

  sim::World world_;
  sim::Network network_;
  sim::Records records_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::uint64_t last_id_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<ServerSubject> real_servers(int nodes) {
  return std::make_unique<RealServers>(nodes);
}
std::unique_ptr<ServerSubject> modelled_servers(int nodes) {
  return std::make_unique<ModelledServers>(nodes);
}

}  // namespace tanist::conformance
