// SPDX-License-Identifier: Apache-2.0
// Consent instead of a store. Pure; any thread.
#include "core/failsafe.h"

#include "core/cluster_settings.h"
#include "core/local_server.h"
#include "core/published_values.h"
#include "core/request_reply.h"
#include "core/write_again.h"

namespace tanist {

namespace {

// What a caller that does not say its ttl may rely on (safety 3.4).
constexpr seconds patroni_ttl{20};

std::map<MemberName, std::string> wanted_map(const Observation& obs) {
  std::map<MemberName, std::string> wanted;
  for (const auto& [name, member] : obs.view().members) {
    if (!member.api_url.empty()) wanted[name] = member.api_url;
  }
  wanted[obs.node->name] = obs.node->api_url;
  return wanted;
}

// The map that is in force when a reign begins counts too, until the own one has replaced it; who
// reads late may act on either.
void begin_reign(Draft& draft) {
  const auto reign = draft.obs.lock.reign->create_revision;
  if (draft.next.failsafe_reign == reign) return;
  draft.next.failsafe_reign = reign;
  draft.next.failsafe_members.clear();
  const auto& known = draft.obs.view().failsafe;
  if (known) draft.next.failsafe_members = known->members;
}

}  // namespace

void keep_failsafe_key(Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.cluster->failsafe_mode || draft.busy(Task::write_failsafe)) return;
  begin_reign(draft);
  const auto wanted = wanted_map(obs);
  for (const auto& [name, url] : wanted) draft.next.failsafe_members[name] = url;
  const auto& known = obs.view().failsafe;
  if (known && known->members == wanted) return;
  if (rests_after_failure(draft, Task::write_failsafe)) return;
  Tree value = Tree::map();
  for (const auto& [name, url] : wanted) value.set(name.value(), url);
  Commit commit;
  if (known) commit.expect = {{StoreKey::failsafe, known->revision}};
  commit.writes = {{StoreKey::failsafe, text_form(value), false}};
  commit.reign = obs.lock.reign;
  draft.start(Task::write_failsafe, std::move(commit), Duration(obs.timing.retry_timeout));
}

namespace {

std::string call_of(const Observation& obs) {
  Tree body = Tree::map({{"name", obs.node->name.value()},
                         {"conn_url", obs.node->conn_url},
                         {"api_url", obs.node->api_url},
                         {"ttl", static_cast<int>(obs.timing.ttl.count())}});
  const auto status = obs.local.server.query ? status_value(obs) : Tree();
  if (const auto* slots = status.find("slots")) body.set("slots", *slots);
  return text_form(body);
}

bool may_ask(const Draft& draft) {
  const auto& obs = draft.obs;
  return obs.cluster->failsafe_mode && obs.lock.reign &&
         draft.next.failsafe_reign == obs.lock.reign->create_revision &&
         draft.next.failsafe_members.contains(obs.node->name);
}

}  // namespace

void ask_for_consent(Draft& draft) {
  const auto& obs = draft.obs;
  if (!may_ask(draft) || draft.busy(Task::ask_failsafe)) return;
  const auto interval = std::min(Duration(obs.timing.loop_wait), Duration(obs.timing.ttl) / 6);
  const auto next_round = obs.lock.failsafe_asked_at + interval;
  if (obs.now < next_round) return draft.wake(next_round);
  AskFailsafe ask{.peers = {}, .body = call_of(obs)};
  for (const auto& [name, url] : draft.next.failsafe_members) {
    if (name != obs.node->name) ask.peers.push_back({name, url});
  }
  const auto limit = std::min(obs.now + Duration(obs.timing.retry_timeout), fence_at(obs));
  draft.start(Task::ask_failsafe, std::move(ask), limit);
}

std::optional<Why> keeps_out_of_races(Draft& draft) {
  const auto& obs = draft.obs;
  if (paused(obs) && is_primary(obs)) return std::nullopt;
  const auto& me = obs.node->name.value();
  const auto& caller = draft.next.failsafe_caller;
  if (caller && obs.now < caller->until) {
    draft.wake(caller->until);
    return because(Reason::following_failsafe_caller, me, caller->name.value());
  }
  // What this agent consented to before it was started is not known. A lock that it saw is no sign
  // that the caller has ended: it may have run out, and the consent go on (seed 9002512).
  const auto& lost = obs.view().lost_leader;
  if (!obs.cluster->failsafe_mode || (lost && lost->released)) return std::nullopt;
  const auto until =
      draft.next.first_view_at.value_or(obs.now) + Duration(std::max(obs.timing.ttl, patroni_ttl));
  if (obs.now >= until) return std::nullopt;
  draft.wake(until);
  return because(Reason::awaiting_failsafe_caller, me);
}

bool in_failsafe_map(const Observation& obs, const MemberName& name) {
  const auto& failsafe = obs.view().failsafe;
  if (!obs.cluster->failsafe_mode || !failsafe || failsafe->members.empty()) return true;
  return failsafe->members.contains(name);
}

bool failsafe_is_active(const Observation& obs, const Memory& memory) {
  if (obs.holds_lock()) return obs.lock.by_failsafe && obs.now < obs.lock.until;
  return memory.failsafe_caller && obs.now < memory.failsafe_caller->until;
}

namespace {

// We gave the lock that we took away since: this caller has been seen with a later one.
bool has_a_later_lock(const Observation& obs, const MemberName& caller, const TaskEnd& ours) {
  const bool known = ours.verdict == StoreVerdict::done && ours.revision != Revision(0);
  return known && obs.view().locked_by(caller) &&
         obs.view().leader->create_revision > ours.revision;
}

// An attempt of which nothing is known may still turn out to have taken the lock.
bool may_have_taken_lock(const Draft& draft, Task task, const MemberName& caller) {
  if (draft.busy(task)) return true;
  const auto end = draft.obs.ends.find(task);
  return end != draft.obs.ends.end() && end->second.verdict != StoreVerdict::refused &&
         !has_a_later_lock(draft.obs, caller, end->second) &&
         draft.obs.now < end->second.at + Duration(draft.obs.timing.ttl);
}

bool leads_or_is_about_to(const Draft& draft, const MemberName& caller) {
  const auto& obs = draft.obs;
  return is_primary(obs) || obs.holds_lock() || obs.lock.adopting ||
         may_have_taken_lock(draft, Task::take_lock, caller) ||
         may_have_taken_lock(draft, Task::retake_lock, caller);
}

seconds ttl_of_caller(const Tree& body) {
  const auto* value = body.find("ttl");
  const auto number = value != nullptr ? int_with_unit(*value, "s") : std::nullopt;
  constexpr std::int64_t day = 86400;
  return number && *number > 0 ? seconds(std::min(*number, day)) : patroni_ttl;
}

std::map<std::string, std::uint64_t> slots_of_caller(const Tree& body) {
  std::map<std::string, std::uint64_t> slots;
  const auto* value = body.find("slots");
  if (value == nullptr || value->as_map() == nullptr) return slots;
  for (const auto& [name, lsn] : *value->as_map()) {
    const auto* number = lsn.as_int();
    if (number != nullptr && *number >= 0) slots[name] = static_cast<std::uint64_t>(*number);
  }
  return slots;
}

}  // namespace

RequestOutcome serve_failsafe(Draft& draft, const PendingRequest& pending) {
  const auto& obs = draft.obs;
  const auto& body = pending.request.body;
  if (!obs.cluster->failsafe_mode) return reply_page(502, "failsafe_mode is off");
  for (const auto* key : {"name", "conn_url", "api_url"}) {
    const auto* value = body.find(key);
    if (value == nullptr || value->as_string() == nullptr || value->as_string()->empty()) {
      return reply_page(400, "name, conn_url and api_url are required");
    }
  }
  const auto name = given_text(body, "name");
  if (leads_or_is_about_to(draft, MemberName(name))) return reply_text(500, "Running as a leader");
  const auto stays_out = std::max(obs.timing.ttl, ttl_of_caller(body));
  auto until = obs.now + Duration(stays_out);
  if (draft.next.failsafe_caller) until = std::max(until, draft.next.failsafe_caller->until);
  draft.next.failsafe_caller = FailsafeCaller{.name = MemberName(name),
                                              .slots = slots_of_caller(body),
                                              .heard_at = obs.now,
                                              .until = until};
  auto reply = reply_text(200, "Accepted");
  if (wal_position(obs) != Lsn()) reply.lsn = std::to_string(wal_position(obs).value());
  return reply;
}

}  // namespace tanist
