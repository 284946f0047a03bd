// SPDX-License-Identifier: Apache-2.0
// Transcripts of servers.
#include <algorithm>

#include "base/fields.h"
#include "base/format.h"
#include "core/rewind_verdict.h"
#include "server_subject.h"

namespace tanist::conformance {

namespace {

constexpr ObserveServer everything{
    .control_data = true, .local_timeline = true, .replication = true, .slots = true};

// In no order: a server shows its senders as they began. Of a receiver that does not stream it is
// not asked what it does instead.
std::string text(const QueryFacts& query) {
  if (!query.in_recovery) {
    auto out = format_text(", primary on timeline {}", query.timeline.value());
    auto senders = query.wal_senders;
    std::ranges::sort(senders, {}, &WalSender::application_name);
    for (const auto& sender : senders) {
      out += format_text(", sends to {} ({}, {})", sender.application_name, sender.state,
                         sender.sync_state);
    }
    for (const auto& slot : query.slots) {
      out += format_text(", slot {}{}", slot.name, slot.active ? " in use" : "");
    }
    return out;
  }
  if (query.receiver_status != "streaming") return ", standby, does not stream";
  return format_text(", standby, streams on timeline {}", query.received_timeline.value());
}

std::string text(const ServerFacts& facts) {
  auto out =
      format_text("data {}, {}", name_of(facts.data), facts.postmaster ? "server" : "no server");
  if (facts.query) out += text(*facts.query);
  if (facts.control) {
    const auto& control = *facts.control;
    out += format_text("; control: {}, checkpoint on timeline {}", name_of(control.state),
                       control.checkpoint_timeline.value());
  }
  return out + (facts.standby_signal ? "; standby.signal" : "") +
         (facts.rewind_interrupted ? "; half rewound" : "");
}

std::string text(const ServerResult& result) {
  std::string out = result.ok ? "done" : "failed";
  if (result.start) out += format_text(", {}", name_of(*result.start));
  if (result.difference) out += format_text(", difference {}", name_of(*result.difference));
  if (result.source_lost) out += ", source lost";
  for (const auto& line : result.history) out += format_text(", left {}", line.timeline.value());
  return out;
}

}  // namespace

ServerGoal ServerScript::following(int node) const {
  return {.standby = true, .role = Role::replica, .upstream = subject_.upstream(node)};
}

ServerFacts ServerScript::facts(int node) {
  const auto result = subject_.perform(node, everything);
  return result.facts ? *result.facts : ServerFacts{};
}

ServerResult ServerScript::perform(const std::string& what, int node, ServerAction action) {
  auto result = subject_.perform(node, std::move(action));
  lines_.push_back(what + ": " + text(result));
  return result;
}

void ServerScript::start(const std::string& what, int node, ServerGoal goal) {
  perform(what, node, StartServer{.goal = std::move(goal)});
}

void ServerScript::observe(const std::string& what, int node) {
  lines_.push_back(what + ": " + text(facts(node)));
}

void ServerScript::await(const std::string& what, int node, const Condition& condition) {
  bool holds = false;
  for (int round = 0; round < 100 && !holds; ++round) {
    holds = condition(facts(node));
    if (!holds) subject_.pass(milliseconds(100));
  }
  say(what, holds);
}

void ServerScript::await_streaming(const std::string& what, int node) {
  await(what, node, [](const ServerFacts& facts) {
    return facts.query && facts.query->in_recovery && facts.query->receiver_status == "streaming";
  });
}

void ServerScript::examine(const std::string& what, int node, int leader) {
  const auto result = subject_.perform(node, ExamineDivergence{subject_.upstream(leader)});
  const auto facts = result.divergence.value_or(DivergenceFacts{});
  const auto verdict = judge_divergence(facts).divergence;
  lines_.push_back(format_text(
      "{}: {}, local {}{} on timeline {}, leader {}{} on timeline {}, {} lines of history", what,
      verdict == Divergence::none       ? "in line"
      : verdict == Divergence::diverged ? "diverged"
                                        : "unknown",
      facts.local_known ? "known" : "unknown", facts.local_is_standby ? " standby" : "",
      facts.local_timeline.value(), facts.leader_known ? "known" : "unknown",
      facts.leader_in_recovery ? " in recovery" : "", facts.leader_timeline.value(),
      facts.leader_history.size()));
}

void ServerScript::write(const std::string& what, int node) { say(what, subject_.write(node)); }

void ServerScript::make_cluster(int nodes) {
  perform("initialize", 0, InitializeData{});
  start("first start", 0, primary());
  perform("finish", 0, FinishBootstrap{});
  for (int node = 1; node < nodes; ++node) {
    perform("copy", node, CloneData{.source = subject_.upstream(0)});
    start("start the copy", node, following(0));
    await_streaming("it streams", node);
  }
}

void ServerScript::promote(int node) {
  perform("promote", node, PromoteServer{.goal = primary()});
  await("out of recovery", node,
        [](const ServerFacts& facts) { return facts.query && !facts.query->in_recovery; });
}

}  // namespace tanist::conformance
