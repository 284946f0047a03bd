// SPDX-License-Identifier: Apache-2.0
// The rules of `doctor` on store, times, certificates and settings. Pure; any thread.
#include "ctl/checkup.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/format.h"
#include "config/findings.h"

namespace tanist::ctl {

namespace {

constexpr Duration slow_answer = milliseconds(500);

std::string in_seconds(Duration duration) {
  return format_text("{:.1f} s", std::chrono::duration<double>(duration).count());
}

std::int64_t days_between(WallTime from, WallTime until) {
  return std::chrono::floor<std::chrono::days>(until - from).count();
}

std::string date_text(WallTime time) { return to_iso8601(time).substr(0, 10); }

Finding judge_endpoint(const store::EndpointReport& endpoint) {
  const auto subject = "etcd " + endpoint.address;
  if (!endpoint.answers()) {
    return {Grade::wrong, subject, "does not answer: " + endpoint.trouble,
            "start etcd there, open the way to it, or take it out of etcd3.hosts"};
  }
  const auto text =
      format_text("answers in {} ms, version {}", in_milliseconds(endpoint.answered_in),
                  endpoint.version.empty() ? "unknown" : endpoint.version);
  if (endpoint.answered_in <= slow_answer) return {Grade::good, subject, text, ""};
  return {Grade::warning, subject, text,
          "look at its disk (etcd_disk_wal_fsync_duration_seconds) and at the network"};
}

Finding judge_certificate(const CertificateFile& file, WallTime now, std::chrono::days notice) {
  const auto subject = "certificate " + file.setting;
  if (!file.trouble.empty()) {
    return {Grade::wrong, subject, file.trouble, "put a readable PEM file there"};
  }
  const auto remedy =
      "renew it (tanistctl provision --renew certificates, if provision made it), then reload";
  const auto what = format_text("{} ({})", file.path, file.name);
  if (now < file.from) {
    return {Grade::wrong, subject,
            format_text("{} is not valid before {}", what, date_text(file.from)),
            "set the clock, or issue it anew"};
  }
  if (now >= file.until) {
    return {Grade::wrong, subject, format_text("{} expired on {}", what, date_text(file.until)),
            remedy};
  }
  const auto left = days_between(now, file.until);
  const auto text = format_text("{} is valid until {}, {} days", what, date_text(file.until), left);
  if (left < notice.count()) return {Grade::wrong, subject, text, remedy};
  return {Grade::good, subject, text, ""};
}

Findings judge_modes(const Reading& cluster) {
  const auto& settings = cluster.settings;
  Findings out;
  if (settings.pause) {
    out.push_back({Grade::warning, "setting pause",
                   "the cluster is paused: nothing is repaired, nothing is fenced",
                   "tanistctl resume, when the work is done"});
  }
  const auto replicas = std::ranges::count_if(cluster.view->members, [&](const auto& entry) {
    return !cluster.view->locked_by(entry.first);
  });
  const auto wanted = settings.synchronous_node_count;
  if (settings.synchronous_mode != SynchronousMode::off && wanted > replicas) {
    out.push_back(
        {settings.synchronous_mode_strict ? Grade::wrong : Grade::warning,
         "setting synchronous_node_count",
         format_text("{} synchronous standbys are wanted, there are {} replicas", wanted, replicas),
         "start replicas, or lower it"});
  }
  if (settings.synchronous_mode == SynchronousMode::off && settings.synchronous_mode_strict) {
    out.push_back({Grade::warning, "setting synchronous_mode_strict",
                   "has no effect without synchronous_mode", "set synchronous_mode, or remove it"});
  }
  return out;
}

}  // namespace

Findings judge_store(const store::StoreReport& report) {
  Findings out;
  std::set<std::string> versions;
  std::size_t answering = 0;
  for (const auto& endpoint : report.endpoints) {
    out.push_back(judge_endpoint(endpoint));
    answering += endpoint.answers() ? 1 : 0;
    if (!endpoint.version.empty()) versions.insert(endpoint.version);
    for (const auto& warning : endpoint.warnings) {
      const bool is_alarm = warning.find("reports") != std::string::npos;
      out.push_back({is_alarm ? Grade::wrong : Grade::warning, "etcd " + endpoint.address, warning,
                     is_alarm ? "free space or repair the member, then etcdctl alarm disarm"
                              : "upgrade etcd"});
    }
  }
  if (versions.size() > 1) {
    std::string all;
    for (const auto& version : versions) all += (all.empty() ? "" : ", ") + version;
    out.push_back({Grade::warning, "etcd", "its members run different versions: " + all,
                   "upgrade the older ones"});
  }
  if (report.endpoints.size() == 1 && answering == 1) {
    out.push_back({Grade::warning, "etcd",
                   "one endpoint is configured: if it fails, so does the cluster",
                   "list three members or more in etcd3.hosts"});
  }
  return out;
}

Findings judge_timing(const store::StoreReport& report, const Reading& cluster) {
  if (report.election_timeout == Duration(0)) return {};
  const auto& timing = cluster.settings.timing;
  const Duration renewal = std::min<Duration>(timing.loop_wait, Duration(timing.ttl) / 6);
  const auto needed = renewal + 2 * report.election_timeout + milliseconds(1300);
  const auto text =
      format_text("{} s; etcd's election timeout is about {}, which needs at least {}",
                  timing.ttl.count(), in_seconds(report.election_timeout), in_seconds(needed));
  if (Duration(timing.ttl) >= needed) return {{Grade::good, "setting ttl", text, ""}};
  return {{Grade::wrong, "setting ttl", text,
           "raise ttl (tanistctl edit-config -s ttl=...), or lower etcd's election-timeout"}};
}

Findings judge_certificates(const std::vector<CertificateFile>& files, WallTime now,
                            std::chrono::days notice) {
  Findings out;
  for (const auto& file : files) out.push_back(judge_certificate(file, now, notice));
  return out;
}

Findings judge_settings(const Reading& cluster) {
  const auto& config = cluster.view->config;
  if (!config || !config->valid) {
    return {{Grade::wrong, "dynamic configuration",
             config ? "the key holds no JSON object" : "there is none in the store",
             "bootstrap the cluster, or write one: PUT /config of a member"}};
  }
  Findings out;
  for (const auto& finding : config::findings_in_dynamic(config->value)) {
    out.push_back({Grade::wrong, "setting " + finding.path, finding.text,
                   "tanistctl edit-config -s " + finding.path + "=..."});
  }
  const auto settings = cluster_settings_from(config->value);
  if (!settings) {
    out.push_back(
        {Grade::wrong, "dynamic configuration", settings.error().message, "tanistctl edit-config"});
    return out;
  }
  const bool has_patroni = std::ranges::any_of(
      cluster.view->members, [](const auto& entry) { return !entry.second.is_tanist(); });
  std::vector<std::string> warnings;
  effective_timing(settings->timing, has_patroni ? patroni_timing_min : tanist_timing_min,
                   &warnings);
  for (auto& warning : warnings) {
    out.push_back({Grade::wrong, "dynamic configuration", std::move(warning),
                   "make loop_wait + 2 * retry_timeout <= ttl"});
  }
  auto modes = judge_modes(cluster);
  const bool is_sane = out.empty();
  std::ranges::move(modes, std::back_inserter(out));
  if (is_sane) {
    out.insert(out.begin(), {Grade::good, "dynamic configuration", "every value can be used", ""});
  }
  return out;
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> months{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view shape = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != shape.size() || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::ranges::find(months, text.substr(8, 3));
  if (month == months.end()) return std::nullopt;
  const auto parsed =
      parse_timestamp(format_text("{}-{:02}-{}T{}Z", text.substr(12, 4), month - months.begin() + 1,
                                  text.substr(5, 2), text.substr(17, 8)));
  return parsed ? std::optional(parsed->time) : std::nullopt;
}

}  // namespace tanist::ctl
