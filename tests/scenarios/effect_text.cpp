// SPDX-License-Identifier: Apache-2.0
// Effects as text.
#include "effect_text.h"

#include "base/format.h"

namespace tanist::scenarios {

namespace {

std::string source_text(const std::optional<Upstream>& source) {
  if (!source) return "nobody";
  auto text = source->is_remote ? source->host + ":" + source->port : source->member.value();
  if (source->slot) text += " (slot " + *source->slot + ")";
  return text;
}

std::string goal_text(const ServerGoal& goal) {
  auto text = std::string(name_of(goal.role));
  if (goal.standby) text += " of " + source_text(goal.upstream);
  if (goal.synchronous_standby_names) {
    text += ", waits for '" + *goal.synchronous_standby_names + "'";
  }
  return text;
}

std::string details(const StartServer& a) {
  return format_text("{}, {} s", goal_text(a.goal), a.timeout.count());
}
std::string details(const StopServer& a) {
  auto text = std::string(name_of(a.mode));
  if (a.checkpoint_first) text += " after a checkpoint";
  if (a.limit) text += format_text(", {} s", std::chrono::ceil<seconds>(*a.limit).count());
  return text;
}
std::string details(const PromoteServer& a) { return goal_text(a.goal); }
std::string details(const ReloadServer& a) { return goal_text(a.goal); }
std::string details(const CompareGoal& a) { return goal_text(a.goal); }
std::string details(const RewindData& a) { return source_text(a.source); }
std::string details(const ExamineDivergence& a) { return source_text(a.leader); }
std::string details(const CloneData& a) {
  auto text = source_text(a.source);
  if (a.only_basebackup) text += ", basebackup only";
  for (const auto& method : a.methods) text += ", by " + method;
  return text;
}

std::string details(const TakeLock& a) {
  return a.identity ? "initialize=" + a.identity->value() : std::string();
}
std::string details(const ReleaseLock& a) {
  return a.status ? "status " + *a.status : std::string("no status");
}
std::string details(const Commit& commit) {
  std::string text;
  for (const auto& write : commit.writes) {
    if (!text.empty()) text += ", ";
    text += name_of(write.key);
    text += write.value ? "=" + *write.value : std::string(" deleted");
    if (write.with_lease) text += " (own lease)";
  }
  return text;
}

std::string details(const AskFailsafe& a) {
  std::string text;
  for (const auto& peer : a.peers) text += (text.empty() ? "" : " ") + peer.member.value();
  return text;
}

template <class A>
std::string details(const A&) {
  return {};
}

}  // namespace

std::string effect_text(const agent::Effect& effect) {
  auto text = std::string(name_of(effect.task)) + ":";
  const auto say = [&](const auto& action) {
    using A = std::remove_cvref_t<decltype(action)>;
    if (A::name != name_of(effect.task)) text += " " + std::string(A::name);
    if (const auto more = details(action); !more.empty()) text += " " + more;
  };
  std::visit([&](const auto& kind) { std::visit(say, kind); }, effect.body);
  if (text.ends_with(':')) text.pop_back();
  return text;
}

std::string guard_text(const GuardOrder& order) { return std::string(name_of(order.what)); }

}  // namespace tanist::scenarios
