// SPDX-License-Identifier: Apache-2.0
// POST /switchover and /failover: validation, the key, the wait for the result (contract rest 11).
// Pure; any thread.
#include "core/candidates.h"
#include "core/local_server.h"
#include "core/peer_round.h"
#include "core/request_reply.h"
#include "core/status_document.h"
#include "core/synchronous_view.h"

namespace tanist {

namespace {

using Stage = PendingRequest::Stage;

constexpr Duration watch_interval = milliseconds(200);

struct Names {
  std::string title;  // Switchover, Failover
  std::string lower;
};

Names action_of(const PendingRequest& pending) {
  return pending.is_switchover ? Names{"Switchover", "switchover"} : Names{"Failover", "failover"};
}

seconds result_limit(const Observation& obs) {
  return 2 * std::max(seconds(10), obs.timing.loop_wait);
}

// Rows 4 to 7: what is wrong with the time; sets `at` when it is a good one.
RequestOutcome check_schedule(const Observation& obs, const Tree& body, std::string* at) {
  const auto* value = body.find("scheduled_at");
  if (value == nullptr || !value->truthy()) return std::nullopt;
  if (paused(obs)) return reply_text(400, "Can't schedule switchover in the paused state");
  const auto* text = value->as_string();
  const auto parsed = text != nullptr ? parse_timestamp(*text) : std::nullopt;
  if (!parsed) {
    return reply_text(422,
                      "Unable to parse scheduled timestamp. It should be in an unambiguous format, "
                      "e.g. ISO 8601");
  }
  if (!parsed->has_zone) {
    return reply_text(400, "Timezone information is mandatory for the scheduled switchover");
  }
  if (parsed->time < obs.wall) return reply_text(422, "Cannot schedule switchover in the past");
  *at = to_iso8601(parsed->time, parsed->offset);
  return std::nullopt;
}

// Rows 1 to 9: the request by itself.
RequestOutcome check_fields(const Observation& obs, PendingRequest& pending) {
  const auto& body = pending.request.body;
  const bool failover = pending.request.endpoint == ApiEndpoint::failover;
  const auto leader = given_text(body, "leader");
  auto candidate = given_text(body, "candidate");
  if (candidate.empty()) candidate = given_text(body, "member");
  if (failover && candidate.empty()) {
    return reply_text(400, "Failover could be performed only to a specific candidate");
  }
  if (!failover && leader.empty()) {
    return reply_text(400, "Switchover could be performed only from a specific leader");
  }
  if (failover && !given_text(body, "scheduled_at").empty()) {
    return reply_text(400, "Failover can't be scheduled");
  }
  if (auto error = check_schedule(obs, body, &pending.scheduled_at)) return error;
  if (paused(obs) && candidate.empty()) {
    return reply_text(400, "Switchover is possible only to a specific candidate in a paused state");
  }
  pending.is_switchover = !leader.empty();
  pending.leader = MemberName(leader);
  pending.candidate = MemberName(candidate);
  if (!leader.empty() && leader == candidate) {
    return reply_text(400, "Switchover target and source are the same");
  }
  return std::nullopt;
}

// By the settings, also while `/sync` does not follow them yet: then nobody is a standby there.
bool priority_sync(const Observation& obs) {
  return obs.cluster->synchronous_mode == SynchronousMode::priority;
}

bool is_listed(const Observation& obs, const MemberName& name) {
  return obs.view().sync && is_sync_standby(*obs.view().sync, name);
}

// Rows 10 to 14: the request against the cluster.
RequestOutcome check_cluster(const Observation& obs, const PendingRequest& pending) {
  const auto& view = obs.view();
  const auto names = action_of(pending);
  if (pending.is_switchover && !view.locked_by(pending.leader)) {
    return reply_text(412, "leader name does not match");
  }
  if (!pending.candidate.value().empty()) {
    if (pending.is_switchover && priority_sync(obs) && !is_listed(obs, pending.candidate)) {
      return reply_text(412, "candidate name does not match with sync_standby");
    }
    if (view.member(pending.candidate) == nullptr) {
      return reply_text(412, "candidate does not exists");
    }
    return std::nullopt;
  }
  const bool nobody_listed = std::ranges::none_of(
      view.members, [&](const auto& entry) { return is_listed(obs, entry.first); });
  if (priority_sync(obs) && nobody_listed) {
    return reply_text(412, names.lower + " is not possible: can not find sync_standby");
  }
  const bool alone = std::ranges::none_of(view.members, [&](const auto& entry) {
    return !view.locked_by(entry.first) && !entry.second.api_url.empty();
  });
  if (alone) {
    return reply_text(
        412, names.lower + " is not possible: cluster does not have members except leader");
  }
  return std::nullopt;
}

// Why those that were asked cannot take over, as far as Patroni's answer does not tell it: what
// only members of ours lack.
std::string own_limitations(Draft& draft, const std::vector<PeerReport>& reports) {
  std::string told;
  for (const auto& report : reports) {
    const auto limit = limitation(report);
    if (limit.empty()) continue;
    const auto sentence = format_text("Member {} is {}", report.name.value(), limit);
    draft.log(LineLevel::info, "{}", sentence);
    if (report.storage_failed || report.guard_missing)
      told += (told.empty() ? "" : "; ") + sentence;
  }
  return told.empty() ? told : " (" + told + ")";
}

// By what this node would answer itself.
bool is_fit_itself(const Observation& obs) {
  const auto answer = make_status(obs, *obs.memory).document;
  return limitation(peer_report_from(obs.node->name, answer)).empty();
}

// Row 15: does anybody that could take over answer well?
RequestOutcome ask_candidates(Draft& draft, PendingRequest& pending) {
  const auto& obs = draft.obs;
  std::vector<PeerAddress> asked;
  bool self_considered = false;
  for (const auto& [name, member] : obs.view().members) {
    const bool considered =
        pending.candidate.value().empty()
            ? !obs.view().locked_by(name) && (!priority_sync(obs) || is_listed(obs, name))
            : name == pending.candidate;
    if (!considered || member.api_url.empty()) continue;
    if (name == obs.node->name) {
      self_considered = is_fit_itself(obs);
    } else {
      asked.push_back({name, member.api_url});
    }
  }
  const auto* answered = answers(draft, pending.round, asked);
  if (answered == nullptr) return std::nullopt;
  const bool good =
      self_considered || std::ranges::any_of(answered->reports, [&](const PeerReport& report) {
        const auto same = [&](const PeerAddress& peer) { return peer.member == report.name; };
        return std::ranges::any_of(asked, same) && limitation(report).empty();
      });
  if (!good) {
    return reply_text(412, action_of(pending).lower +
                               " is not possible: no good candidates have been found" +
                               own_limitations(draft, answered->reports));
  }
  pending.stage = Stage::writing;
  return std::nullopt;
}

Tree failover_value(const PendingRequest& pending) {
  Tree value = Tree::map();
  if (!pending.leader.value().empty()) value.set("leader", pending.leader.value());
  if (!pending.candidate.value().empty()) value.set("member", pending.candidate.value());
  if (!pending.scheduled_at.empty()) value.set("scheduled_at", pending.scheduled_at);
  return value;
}

RequestOutcome write_key(Draft& draft, PendingRequest& pending) {
  if (!pending.write_ordered) {
    if (draft.busy(Task::operator_write)) return std::nullopt;
    Commit commit;
    commit.writes = {{StoreKey::failover, text_form(failover_value(pending)), false}};
    draft.start(Task::operator_write, std::move(commit), Duration(draft.obs.timing.retry_timeout));
    pending.write_ordered = true;
    pending.old_leader = draft.obs.view().leader ? draft.obs.view().leader->name : MemberName();
    return std::nullopt;
  }
  const auto* end = written(draft, pending);
  if (end == nullptr) return std::nullopt;
  if (!end->ok) return reply_text(503, "failed to write failover key into DCS");
  if (!pending.scheduled_at.empty()) return reply_text(202, "Switchover scheduled");
  pending.stage = Stage::watching;
  pending.give_up_at = draft.obs.now + Duration(result_limit(draft.obs));
  return std::nullopt;
}

// Success is told when the new leader runs as primary, not when it merely has the lock (trap 128);
// a member that never says so is believed at the end.
RequestOutcome watch_result(Draft& draft, PendingRequest& pending) {
  const auto& view = draft.obs.view();
  const bool late = draft.obs.now >= pending.give_up_at;
  const auto names = action_of(pending);
  draft.wake(std::min<Instant>(pending.give_up_at, draft.obs.now + watch_interval));
  if (view.locked() && view.leader->name != pending.old_leader) {
    const auto* member = view.leader_member();
    const bool leads = member != nullptr &&
                       (member->role == Role::primary || member->role == Role::standby_leader);
    if (!leads && !late) return std::nullopt;
    const auto& name = view.leader->name.value();
    const std::string done = pending.is_switchover ? "witched over to \"" : "ailed over to \"";
    if (pending.candidate.value().empty() || view.leader->name == pending.candidate) {
      return reply_text(
          200, (pending.is_switchover ? "Successfully s" : "Successfully f") + done + name + "\"");
    }
    return reply_text(200, (pending.is_switchover ? "S" : "F") + done + name + "\" instead of \"" +
                               pending.candidate.value() + "\"");
  }
  const bool cleared = !view.failover || !view.failover->present();
  if (cleared && view.locked() && draft.obs.now > pending.arrived_at + watch_interval) {
    return reply_text(503, names.title + " failed");
  }
  if (!late) return std::nullopt;
  return reply_text(503, format_text("{} status unknown after {} seconds; operation may still be "
                                     "in progress",
                                     names.title, result_limit(draft.obs).count()));
}

}  // namespace

RequestOutcome serve_switchover(Draft& draft, PendingRequest& pending) {
  if (pending.stage == Stage::arrived) {
    if (auto error = check_fields(draft.obs, pending)) return error;
    if (pending.scheduled_at.empty()) {
      if (auto error = check_cluster(draft.obs, pending)) return error;
      pending.stage = Stage::asking_peers;
    } else {
      pending.stage = Stage::writing;
    }
  }
  if (pending.stage == Stage::asking_peers) {
    if (auto reply = ask_candidates(draft, pending)) return reply;
  }
  if (pending.stage == Stage::writing) {
    if (auto reply = write_key(draft, pending)) return reply;
  }
  if (pending.stage == Stage::watching) return watch_result(draft, pending);
  return std::nullopt;
}

RequestOutcome serve_cancel_switchover(Draft& draft, PendingRequest& pending) {
  if (pending.stage == Stage::writing) {
    const auto* end = written(draft, pending);
    if (end == nullptr) return std::nullopt;
    return end->ok ? reply_text(200, "scheduled switchover deleted")
                   : reply_page(409, "the request was changed by somebody else");
  }
  const auto& failover = draft.obs.view().failover;
  const bool scheduled = failover && failover->present() && !failover->scheduled_text.empty();
  if (!scheduled) return reply_text(404, "no switchover is scheduled");
  if (draft.busy(Task::operator_write)) return std::nullopt;
  Commit commit;
  commit.expect = {{StoreKey::failover, failover->revision}};
  commit.writes = {{StoreKey::failover, "{}", false}};
  draft.start(Task::operator_write, std::move(commit), Duration(draft.obs.timing.retry_timeout));
  pending.stage = Stage::writing;
  return std::nullopt;
}

}  // namespace tanist
