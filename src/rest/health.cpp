// SPDX-License-Identifier: Apache-2.0
// The rows of contract rest 5 and 6. Pure; any thread.
#include "rest/health.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/cluster_settings.h"

namespace tanist::rest {

namespace {

constexpr int good = 200;
constexpr int bad = 503;

bool loop_is_dead(const Status& status, Instant now) { return now >= status.good_until; }

// Bytes of the parameter `lag`; nothing when it is absent or cannot be read.
std::optional<std::int64_t> lag_limit(const Query& query) {
  const auto* text = query.find("lag");
  return text != nullptr ? int_with_unit(Tree(*text), "B") : std::nullopt;
}

// True when `reference` is more than `limit` bytes ahead of `position`.
bool exceeds(Lsn reference, Lsn position, std::int64_t limit) {
  using Wide = __int128;  // neither side may wrap: the limit is written by strangers
  return Wide{reference.value()} > Wide{position.value()} + limit;
}

Lsn reference_of(const Status& status) { return std::max(status.optime, status.latest_end); }

bool is_lagging(const Query& query, const Status& status) {
  const auto limit = lag_limit(query);
  const auto reference = reference_of(status);
  return limit && reference != Lsn() && exceeds(reference, status.replayed, *limit);
}

// A string tag is compared exactly, any other value as lower-case text.
bool tag_equals(const Tree& tag, std::string_view wanted) {
  auto text = text_form(tag);
  if (tag.as_string() == nullptr) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  }
  return text == wanted;
}

bool tags_match(const Query& query, const Tree& tags) {
  constexpr std::string_view prefix = "tag_";
  return std::ranges::all_of(query.all(), [&](const auto& parameter) {
    const auto& [name, wanted] = parameter;
    if (!name.starts_with(prefix)) return true;
    const auto* tag = tags.find(std::string_view(name).substr(prefix.size()));
    return tag != nullptr && tag_equals(*tag, wanted);
  });
}

// The building blocks of the contract.
struct Checks {
  bool leader = false;
  bool primary = false;
  bool standby = false;
  bool replica = false;
  bool running = false;
  bool sync = false;
  bool quorum = false;
};

bool is_replica_ok(const Query& query, const Status& status, Instant now) {
  const auto* wanted = query.find("replication_state");
  return !status.tags.noloadbalance && status.role == Role::replica &&
         status.state == ServerState::running && now < status.receiving_until &&
         (wanted == nullptr || *wanted == status.replication_state) && !is_lagging(query, status);
}

Checks checks_of(const Query& query, const Status& status, const Moment& moment) {
  Checks checks;
  checks.replica = is_replica_ok(query, status, moment.now);
  checks.running = status.state == ServerState::running;
  checks.sync = status.sync_standby;
  checks.quorum = status.quorum_standby;
  if (!status.view_valid && status.paused) {
    checks.primary = status.role == Role::primary && !status.demoting;
    checks.standby = status.role == Role::standby_leader && !status.demoting;
    checks.leader = checks.primary || checks.standby;
  } else if (holds_lock(status, moment) && !status.standby_cluster) {
    checks.primary = status.paused || !status.in_recovery;
    checks.leader = checks.primary;
  } else if (holds_lock(status, moment)) {
    checks.leader = true;
    checks.standby = status.role == Role::replica || status.role == Role::standby_leader;
    checks.replica = false;
  }
  return checks;
}

bool has(std::string_view path, std::string_view word) {
  return path.find(word) != std::string_view::npos;
}

struct Row {
  bool (*matches)(std::string_view path);
  bool (*passes)(const Checks&);
  bool tags_apply;
  bool needs_view;
  bool demands_primary = false;
};

// The first matching row decides.
constexpr std::array rows{
    Row{[](std::string_view p) { return has(p, "standby_leader") || has(p, "standby-leader"); },
        [](const Checks& c) { return c.standby; }, false, false},
    Row{[](std::string_view p) { return has(p, "leader"); },
        [](const Checks& c) { return c.leader; }, false, false, true},
    Row{[](std::string_view p) {
          return has(p, "primary") || has(p, "read-write") || has(p, "master") || p == "/";
        },
        [](const Checks& c) { return c.primary; }, false, false, true},
    Row{[](std::string_view p) { return has(p, "replica"); },
        [](const Checks& c) { return c.replica; }, true, false},
    Row{[](std::string_view p) {
          return has(p, "read-only") && !has(p, "sync") && !has(p, "quorum");
        },
        [](const Checks& c) { return c.primary || c.standby || c.replica; }, true, false},
    Row{[](std::string_view p) { return has(p, "health"); },
        [](const Checks& c) { return c.running; }, true, false},
    Row{[](std::string_view p) { return p == "/sync" || p == "/synchronous"; },
        [](const Checks& c) { return c.sync && c.replica; }, true, true},
    Row{[](std::string_view p) { return p == "/quorum"; },
        [](const Checks& c) { return c.quorum && c.replica; }, true, true},
    Row{[](std::string_view p) { return p == "/async" || p == "/asynchronous"; },
        [](const Checks& c) { return !c.sync && !c.quorum && c.replica; }, true, true},
    Row{[](std::string_view p) { return p == "/read-only-sync" || p == "/read-only-synchronous"; },
        [](const Checks& c) { return c.primary || c.standby || (c.sync && c.replica); }, true,
        true},
    Row{[](std::string_view p) { return p == "/read-only-quorum"; },
        [](const Checks& c) { return c.primary || c.standby || (c.quorum && c.replica); }, true,
        true},
};

}  // namespace

bool holds_lock(const Status& status, const Moment& moment) {
  return status.holds_lock && !status.demoting && moment.lease_deadline &&
         moment.now < *moment.lease_deadline;
}

bool demands_primary(std::string_view path) {
  const auto* row = std::ranges::find_if(rows, [&](const Row& r) { return r.matches(path); });
  return row != rows.end() && row->demands_primary;
}

int health_code(std::string_view path, const Query& query, const Status& status,
                const Moment& moment) {
  if (loop_is_dead(status, moment.now)) return bad;
  const auto* row = std::ranges::find_if(rows, [&](const Row& r) { return r.matches(path); });
  if (row == rows.end()) return bad;
  if (row->needs_view && !status.view_valid) return bad;
  if (!row->passes(checks_of(query, status, moment))) return bad;
  return !row->tags_apply || tags_match(query, status.tags.published) ? good : bad;
}

int liveness_code(const Status& status, Instant now) {
  if (loop_is_dead(status, now)) return bad;
  if (status.paused) return good;
  const bool running_primary =
      status.internal_state == ServerState::running && status.role == Role::primary;
  const auto tolerance = running_primary ? status.ttl : 2 * status.ttl;
  return status.next_run + tolerance > now ? good : bad;
}

int readiness_code(const Query& query, const Status& status, const Moment& moment) {
  if (loop_is_dead(status, moment.now)) return bad;
  if (holds_lock(status, moment)) return good;
  if (status.internal_state != ServerState::running) return bad;
  if (status.replication_state != "streaming") return bad;
  if (!status.view_valid && status.latest_end == Lsn()) return status.failsafe_active ? good : bad;
  const auto* mode = query.find("mode");
  const auto position = mode != nullptr && *mode == "write" ? status.received : status.replayed;
  const auto limit = lag_limit(query).value_or(status.lag_bytes_max_on_failover);
  return exceeds(reference_of(status), position, limit) ? bad : good;
}

}  // namespace tanist::rest
