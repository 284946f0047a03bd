// SPDX-License-Identifier: Apache-2.0
// For conformance tests: a few PostgreSQL servers that a script drives by the actions of the agent,
// real or modelled, and the transcript of what came of it. Positions are compared with each other
// only: in no two clusters are they the same.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/format.h"
#include "core/server_actions.h"

namespace tanist::conformance {

class ServerSubject {
 public:
  virtual ~ServerSubject() = default;

  virtual ServerResult perform(int node, ServerAction action) = 0;
  virtual Upstream upstream(int node) const = 0;
  // A client's transaction was committed.
  virtual bool write(int node) = 0;
  // SIGKILL of the postmaster; returns when nothing is left of the server.
  virtual void kill(int node) = 0;
  virtual void pass(Duration time) = 0;
};

std::unique_ptr<ServerSubject> real_servers(int nodes);
std::unique_ptr<ServerSubject> modelled_servers(int nodes);

class ServerScript {
 public:
  using Condition = std::function<bool(const ServerFacts&)>;

  explicit ServerScript(ServerSubject& subject) : subject_(subject) {}

  // Each adds a line that begins with `what`.
  ServerResult perform(const std::string& what, int node, ServerAction action);
  void start(const std::string& what, int node, ServerGoal goal);
  void observe(const std::string& what, int node);
  // Looks again and again until it holds, for a while.
  void await(const std::string& what, int node, const Condition& condition);
  void await_streaming(const std::string& what, int node);
  void examine(const std::string& what, int node, int leader);
  void write(const std::string& what, int node);
  void say(const std::string& what, bool holds) {
    lines_.push_back(what + (holds ? ": yes" : ": no"));
  }

  ServerFacts facts(int node);
  static ServerGoal primary() { return {.role = Role::primary}; }
  ServerGoal following(int node) const;
  static ServerGoal alone() { return {.standby = true, .role = Role::replica}; }
  // Node 0 is a new primary, the others are copies that stream from it.
  void make_cluster(int nodes);
  void promote(int node);

  ServerSubject& subject() { return subject_; }
  // All lines.
  std::string transcript() const { return format_text("{}\n", fmt::join(lines_, "\n")); }

 private:
  ServerSubject& subject_;
  std::vector<std::string> lines_;
};

}  // namespace tanist::conformance
