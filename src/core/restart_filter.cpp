// SPDX-License-Identifier: Apache-2.0
// Reading and checking the conditions of a restart. Pure; any thread.
#include "core/restart_filter.h"

#include "base/time.h"
#include "core/cluster_settings.h"
#include "core/local_server.h"
#include "core/start_job.h"

namespace tanist {

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string> split_version(const std::string& text) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// X.Y from 10 on, X.Y.Z before, as the number that servers report.
RequestOutcome read_version(const Tree& value, std::int64_t* number) {
  const auto text = text_form(value);
  if (value.as_string() == nullptr) {
    return reply_text(400, "Invalid PostgreSQL version: " + text);
  }
  const auto parts = split_version(text);
  for (const auto& part : parts) {
    if (!all_digits(part) || part.size() > 6) {
      return reply_text(400, "Invalid PostgreSQL version: " + text);
    }
  }
  const auto at = [&](std::size_t i) { return std::stoll(parts[i]); };
  if (parts.size() == 2 && at(0) >= 10) {
    *number = at(0) * 10000 + at(1);
    return std::nullopt;
  }
  if (parts.size() == 3) {
    *number = at(0) * 10000 + at(1) * 100 + at(2);
    return std::nullopt;
  }
  return reply_text(400, "Invalid PostgreSQL version format: X.Y or X.Y.Z is accepted: " + text);
}

// Contract rest 11, rows 5 to 7, with other words.
RequestOutcome read_schedule(const Observation& obs, const Tree& value,
                             std::optional<WallTime>* at) {
  const auto* text = value.as_string();
  const auto parsed = text != nullptr ? parse_timestamp(*text) : std::nullopt;
  if (!parsed) {
    return reply_text(422,
                      "Unable to parse scheduled timestamp. It should be in an unambiguous format, "
                      "e.g. ISO 8601");
  }
  if (!parsed->has_zone) {
    return reply_text(400, "Timezone information is mandatory for the scheduled restart");
  }
  if (parsed->time < obs.wall) return reply_text(422, "Cannot schedule restart in the past");
  *at = parsed->time;
  return std::nullopt;
}

RequestOutcome read_filter(const Observation& obs, const Tree::Entry& entry,
                           RestartFilter* filter) {
  const auto& [key, value] = entry;
  if (key == "role") {
    filter->role = text_form(value);
    const bool known =
        filter->role == "primary" || filter->role == "standby_leader" || filter->role == "replica";
    if (known) return std::nullopt;
    return reply_text(400, "PostgreSQL role should be either primary, standby_leader, or replica");
  }
  if (key == "postgres_version") return read_version(value, &filter->version_below);
  if (key == "timeout") {
    const auto number = int_with_unit(value, "s");
    if (!number || *number <= 0) {
      return reply_text(400, "Timeout should be a positive number of seconds");
    }
    filter->timeout = seconds(*number);
    return std::nullopt;
  }
  if (key == "restart_pending") {
    filter->only_pending = true;
    return std::nullopt;
  }
  if (key == "schedule") return read_schedule(obs, value, &filter->at);
  return reply_text(400, "Unknown filter for the scheduled restart: " + key);
}

}  // namespace

RequestOutcome read_restart_filter(const Observation& obs, const Tree& body,
                                   RestartFilter* filter) {
  if (body.find("schedule") != nullptr && paused(obs)) {
    return reply_text(500, "Can't schedule restart in the paused state");
  }
  for (const auto& entry : body.as_map() != nullptr ? *body.as_map() : Tree::Map{}) {
    if (auto error = read_filter(obs, entry, filter)) return error;
  }
  return std::nullopt;
}

bool restart_matches(const Draft& draft, const RestartFilter& filter) {
  const auto& server = draft.obs.local.server;
  if (!filter.role.empty() && filter.role != name_of(draft.next.role)) return false;
  if (filter.version_below != 0 &&
      (!server.query || server.query->server_version >= filter.version_below)) {
    return false;
  }
  return !filter.only_pending || !server.pending_restart.empty();
}

void begin_restart(Draft& draft, const RestartFilter& filter, std::optional<RequestId> request) {
  auto job = make_job(JobKind::restart, "restart");
  job.goal = current_goal(draft.obs);
  job.start_timeout =
      filter.timeout > seconds(0) ? filter.timeout : draft.obs.cluster->primary_start_timeout;
  job.request = request;
  begin(draft, std::move(job));
}

}  // namespace tanist
