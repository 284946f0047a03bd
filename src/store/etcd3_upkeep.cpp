// SPDX-License-Identifier: Apache-2.0
// Discovery, versions, alarms, election timeout. Pure; owned by one machine.
#include "store/etcd3_upkeep.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/format.h"

namespace tanist::store {

namespace {

constexpr Owner upkeep{Owner::Part::upkeep, {}};
constexpr Duration call_time = seconds(5);
constexpr Duration retry_pause = seconds(10);

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;

  friend auto operator<=>(const Version&, const Version&) = default;
};

std::optional<Version> parse_version(std::string_view text) {
  Version version;
  const std::array parts{&version.major, &version.minor, &version.patch};
  const auto* at = text.data();
  const auto* end = text.data() + text.size();
  for (auto* part : parts) {
    const auto parsed = std::from_chars(at, end, *part);
    if (parsed.ec != std::errc{}) return std::nullopt;
    at = parsed.ptr != end && *parsed.ptr == '.' ? parsed.ptr + 1 : parsed.ptr;
  }
  return version;
}

// Repaired from `repaired` on within its own minor version.
struct RepairRow {
  Version repaired;
  std::string_view what;
};

// Read from the top: the first that applies is the gravest. Sources: safety 1.1, trap 162.
constexpr std::array<RepairRow, 6> repairs{{
    {{3, 5, 3}, "may hold differing data on its members after a crash"},
    {{3, 4, 31}, "renews leases although its leader is stuck writing to disk"},
    {{3, 5, 13}, "renews leases although its leader is stuck writing to disk"},
    {{3, 4, 38}, "may renew leases that it has already revoked"},
    {{3, 5, 23}, "may renew leases that it has already revoked"},
    {{3, 6, 5}, "may renew leases that it has already revoked"},
}};

constexpr std::array<Version, 3> sound{{{3, 4, 38}, {3, 5, 23}, {3, 6, 5}}};

}  // namespace

std::string warning_about_version(const std::string& text) {
  const auto version = parse_version(text);
  if (!version) return {};
  if (*version < Version{3, 4, 0}) {
    return format_text("etcd {} is not supported: the oldest supported version is 3.4", text);
  }
  const auto* row = std::ranges::find_if(repairs, [&](const RepairRow& candidate) {
    return candidate.repaired.major == version->major &&
           candidate.repaired.minor == version->minor && *version < candidate.repaired;
  });
  if (row == repairs.end()) return {};
  const auto* remedy = std::ranges::find(sound, version->minor, &Version::minor);
  return format_text("etcd {} {}; upgrade to {}.{}.{} or newer", text, row->what, remedy->major,
                     remedy->minor, remedy->patch);
}

void Upkeep::start(Step& step, Calls& calls) {
  look_around(step, calls);
  probe(step, calls);
}

void Upkeep::look_around(Step& step, Calls& calls) {
  looked_around_at_ = step.now;
  look_around_at_ = step.now + 10 * Duration(calls.ttl());
  if (!discover_) return ask_versions(step, calls);
  list_call_ =
      calls.begin(step, upkeep,
                  {wire::MemberListRequest{}, step.now + call_time, Repeat::while_time_lasts, {}});
}

void Upkeep::ask_versions(Step& step, Calls& calls) {
  for (const auto& endpoint : calls.endpoints().all()) {
    calls.begin(step, upkeep,
                {wire::StatusRequest{}, step.now + call_time, Repeat::never, endpoint});
  }
}

void Upkeep::probe(Step& step, Calls& calls) {
  probe_at_ = Instant::max();
  probe_call_ = calls.begin(
      step, upkeep, {wire::GrantRequest{1}, step.now + call_time, Repeat::while_time_lasts, {}});
}

void Upkeep::hurry(Instant now) {
  const auto soonest = std::max(now + seconds(1), looked_around_at_ + retry_pause);
  look_around_at_ = std::min(look_around_at_, soonest);
}

void Upkeep::tick(Step& step, Calls& calls) {
  if (look_around_at_ <= step.now) look_around(step, calls);
  if (probe_at_ <= step.now) probe(step, calls);
}

void Upkeep::done(Step& step, Calls& calls, const Outcome& outcome) {
  if (const auto* list = outcome.answer<wire::MemberListAnswer>()) {
    return members(step, calls, *list);
  }
  if (const auto* answer = outcome.answer<wire::StatusAnswer>()) {
    return status(step, outcome, *answer);
  }
  if (const auto* answer = outcome.answer<wire::GrantAnswer>()) return probed(step, calls, *answer);
  if (outcome.result) return;
  const auto again_at = step.now + retry_pause;
  if (outcome.id == probe_call_) probe_at_ = again_at;
  if (outcome.id == list_call_) look_around_at_ = std::min(look_around_at_, again_at);
}

void Upkeep::use(Step& step, Calls& calls, std::vector<std::string> addresses) {
  addresses.insert(addresses.end(), from_dns_.begin(), from_dns_.end());
  if (calls.endpoints().learn(std::move(addresses)))
    step.say(UseEndpoints{calls.endpoints().all()});
}

void Upkeep::members(Step& step, Calls& calls, const wire::MemberListAnswer& answer) {
  std::vector<std::string> addresses;
  for (const auto& member : answer.members) {
    if (member.is_learner) continue;  // it can neither read linearizably nor write (trap 160)
    for (const auto& url : member.client_urls) {
      if (auto address = address_of_url(url, tls_)) addresses.push_back(std::move(*address));
    }
  }
  if (!addresses.empty()) use(step, calls, std::move(addresses));
  ask_versions(step, calls);
}

void Upkeep::resolved(Step& step, Calls& calls, const std::vector<std::string>& addresses) {
  from_dns_ = addresses;
  use(step, calls, {});
}

void Upkeep::status(Step& step, const Outcome& outcome, const wire::StatusAnswer& answer) {
  if (auto text = warning_about_version(answer.version); !text.empty()) step.warn(std::move(text));
  for (const auto& error : answer.errors) {
    const bool is_alarm =
        error.find("NOSPACE") != std::string::npos || error.find("CORRUPT") != std::string::npos;
    if (is_alarm) step.warn(format_text("etcd at {} reports {}", outcome.endpoint, error));
  }
}

// A lease of one second is granted as the smallest that etcd allows: 1.5 election timeouts, rounded
// up (safety 1.6).
void Upkeep::probed(Step& step, Calls& calls, const wire::GrantAnswer& answer) {
  election_timeout_ = answer.ttl_seconds <= 1   ? Duration(milliseconds(500))
                      : answer.ttl_seconds == 2 ? Duration(seconds(1))
                                                : Duration(seconds(answer.ttl_seconds)) * 2 / 3;
  calls.begin(step, upkeep,
              {wire::RevokeRequest{answer.lease}, step.now + call_time, Repeat::never,
               calls.endpoints().current()});
}

}  // namespace tanist::store
