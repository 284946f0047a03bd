// SPDX-License-Identifier: Apache-2.0
// Search for a successor. Pure; any thread.
#include "core/candidates.h"

#include "core/local_server.h"
#include "core/peer_round.h"
#include "core/synchronous_view.h"
#include "core/wal_standing.h"

namespace tanist {

std::string limitation(const PeerReport& report) {
  if (!report.reachable) return "not reachable";
  if (report.tags.nofailover()) return "not allowed to promote";
  if (report.watchdog_failed) return "not watchdog capable";
  if (report.storage_failed) return "without working storage or server";
  if (report.guard_missing) return "without the guard that it requires";
  return {};
}

namespace {

bool fits_name(const MemberView& member, const CandidateSearch& search) {
  if (search.candidate.value().empty()) return true;
  return (member.name == search.candidate) != search.exclude;
}

bool fits_sync(const Observation& obs, const MemberView& member, const CandidateSearch& search) {
  if (!synchronous_active(obs) || search.manual_failover) return true;
  return is_sync_standby(*obs.view().sync, member.name);
}

// A position says nothing without the timeline that it lies on: WAL of a fork may reach further
// than ours. Who streams from us, or says that it is on our timeline, is on it.
bool follows_us(const Observation& obs, const PeerReport& report) {
  const auto& query = obs.local.server.query;
  if (!query) return false;
  if (report.timeline != Timeline() && report.timeline == local_timeline(obs)) return true;
  return std::ranges::any_of(query->wal_senders, [&](const WalSender& sender) {
    return sender.application_name == report.name.value() && sender.state == "streaming";
  });
}

// Whether the member answered and has the WAL that is asked for; else why not.
std::string shortcoming(const Observation& obs, const PeerReport& report,
                        const CandidateSearch& search) {
  if (const auto limit = limitation(report); !limit.empty()) {
    return format_text("Member {} is {}", report.name.value(), limit);
  }
  if (search.streaming_from_us && !follows_us(obs, report)) {
    return format_text("Member {} does not stream from this node", report.name.value());
  }
  const auto lagging =
      format_text("Member {} exceeds maximum replication lag", report.name.value());
  if (search.received_at_least) {
    if (report.wal_position < *search.received_at_least) return lagging;
  } else {
    const auto optime = obs.view().optime().value();
    const auto limit = static_cast<std::uint64_t>(
        std::max<std::int64_t>(obs.cluster->lag_bytes_max_on_failover, 0));
    const auto position = common_position(obs, report).value();
    if (optime > position && optime - position > limit) return lagging;
  }
  if (obs.cluster->check_timeline && !obs.cluster->standby_cluster &&
      report.timeline < obs.view().timeline()) {
    return format_text("Timeline {} of member {} is behind the cluster timeline {}",
                       report.timeline.value(), report.name.value(), obs.view().timeline().value());
  }
  return {};
}

}  // namespace

std::vector<MemberView> candidates(const Observation& obs, const CandidateSearch& search) {
  std::vector<MemberView> found;
  for (const auto& [name, member] : obs.view().members) {
    if (name == obs.node->name || member.tags.nofailover() || member.api_url.empty()) continue;
    if (fits_name(member, search) && fits_sync(obs, member, search)) found.push_back(member);
  }
  return found;
}

std::optional<std::vector<MemberName>> good_candidates(Draft& draft, std::uint64_t& round,
                                                       const CandidateSearch& search, bool quiet) {
  const auto offered = candidates(draft.obs, search);
  if (offered.empty()) {
    if (!quiet) draft.log(LineLevel::warning, "{}: candidates list is empty", search.action);
    return std::vector<MemberName>{};
  }
  std::vector<PeerAddress> addresses;
  for (const auto& member : offered) addresses.push_back({member.name, member.api_url});
  const auto* answered = answers(draft, round, addresses);
  if (answered == nullptr) return std::nullopt;
  std::vector<MemberName> good;
  for (const auto& report : answered->reports) {
    if (std::ranges::find(offered, report.name, &MemberView::name) == offered.end()) continue;
    const auto why_not = shortcoming(draft.obs, report, search);
    if (why_not.empty()) {
      good.push_back(report.name);
    } else if (!quiet) {
      draft.log(LineLevel::info, "{}", why_not);
    }
  }
  return good;
}

bool failover_possible(Draft& draft, const std::vector<MemberName>& good,
                       const CandidateSearch& search, bool quiet) {
  if (good.empty()) return false;
  const bool decided = !search.candidate.value().empty() && !search.exclude;
  if (!quorum_active(draft.obs) || decided) return true;
  const auto quorum = draft.obs.view().sync->quorum;
  if (static_cast<std::int64_t>(good.size()) - 1 >= quorum) return true;
  if (!quiet) draft.log(LineLevel::info, "Quorum requirement {} can not be reached", quorum);
  return false;
}

}  // namespace tanist
