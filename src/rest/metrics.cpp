// SPDX-License-Identifier: Apache-2.0
// One row per series. A series of our own is a row in `own_series`. Pure; any thread.
#include "rest/metrics.h"

#include <array>
#include <charconv>
#include <string_view>

#include "base/format.h"

namespace tanist::rest {

namespace {

using Source = MetricsSource;

struct Series {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::string (*value)(const Source&);
  bool (*exists)(const Source&) = nullptr;  // nullptr = always
  std::string_view remark = {};             // a comment line between HELP and TYPE
};

std::string flag(bool value) { return value ? "1" : "0"; }

template <class Number>
std::string number(Number value) {
  return format_text("{}", value);
}

// Epoch seconds to the microsecond, without the zeros at the end.
std::string epoch(double value) {
  auto digits = format_text("{:.6f}", value);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

std::string in_seconds(Duration value) {
  return epoch(std::chrono::duration<double>(value).count());
}

std::string word(const Tree& document, std::initializer_list<std::string_view> path) {
  const auto* found = document.find_path(path);
  const auto* content = found != nullptr ? found->as_string() : nullptr;
  return content != nullptr ? *content : std::string();
}

// As alerts were written for it: do not change.
std::string guard_index(const Tree& document) {
  const auto state = word(document, {"tanist", "guard", "state"});
  if (state == "disarmed") return "1";
  if (state == "armed") return "2";
  return state == "latched" ? "3" : "0";
}

// A position of the document's `xlog`, 0 when it is not there.
std::string xlog(const Source& source, std::string_view field) {
  const auto* found = source.status.document.find_path({"xlog", field});
  const auto* position = found != nullptr ? found->as_int() : nullptr;
  return number(position != nullptr ? *position : 0);
}

// 4.1.4 -> 040104.
std::string padded_version(std::string_view version) {
  std::string out;
  while (!version.empty()) {
    const auto part = version.substr(0, version.find('.'));
    version.remove_prefix(std::min(part.size() + 1, version.size()));
    unsigned value = 0;
    std::from_chars(part.data(), part.data() + part.size(), value);
    out += format_text("{:02}", value);
  }
  return out.empty() ? "0" : out;
}

std::string state_index(ServerState state) {
  return state == ServerState::unknown ? "-1" : number(static_cast<int>(state));
}

bool reports_replication_state(const Source& s) { return s.status.server_version >= 90600; }

constexpr std::string_view state_values =
    "# Values: 0=initdb, 1=initdb_failed, 2=custom_bootstrap, 3=custom_bootstrap_failed, "
    "4=creating_replica, 5=running, 6=starting, 7=bootstrap_starting, 8=start_failed, "
    "9=restarting, 10=restart_failed, 11=stopping, 12=stopped, 13=stop_failed, 14=crashed";

using S = Source;

// Names, types and order are what dashboards and alerts were written for: do not change.
constexpr std::array known_series{
    Series{
        "patroni_version", "gauge", "Version of the interface, without periods.",
        [](const S& s) { return padded_version(word(s.status.document, {"patroni", "version"})); }},
    Series{"patroni_postgres_running", "gauge", "1 if PostgreSQL is running.",
           [](const S& s) { return flag(s.status.state == ServerState::running); }},
    Series{"patroni_postmaster_start_time", "gauge", "Epoch seconds since PostgreSQL started.",
           [](const S& s) { return epoch(s.status.postmaster_start_time); }},
    Series{"patroni_primary", "gauge", "1 if this node's server is a primary.",
           [](const S& s) { return flag(s.status.role == Role::primary); }},
    Series{"patroni_xlog_location", "counter", "Flushed WAL position of the primary, bytes.",
           [](const S& s) { return xlog(s, "location"); }},
    Series{"patroni_standby_leader", "gauge", "1 if this node leads a standby cluster.",
           [](const S& s) { return flag(s.status.role == Role::standby_leader); }},
    Series{"patroni_replica", "gauge", "1 if this node is a replica.",
           [](const S& s) { return flag(s.status.role == Role::replica); }},
    Series{"patroni_sync_standby", "gauge", "1 if this node is a synchronous standby.",
           [](const S& s) { return flag(s.status.sync_standby); }},
    Series{"patroni_quorum_standby", "gauge", "1 if this node is a quorum standby.",
           [](const S& s) { return flag(s.status.quorum_standby); }},
    Series{"patroni_xlog_received_location", "counter", "Received WAL position, bytes.",
           [](const S& s) { return xlog(s, "received_location"); }},
    Series{"patroni_xlog_replayed_location", "counter", "Replayed WAL position, bytes.",
           [](const S& s) { return xlog(s, "replayed_location"); }},
    Series{"patroni_xlog_replayed_timestamp", "gauge", "Epoch seconds of the last replayed commit.",
           [](const S& s) { return epoch(s.status.replayed_timestamp); }},
    Series{"patroni_xlog_paused", "gauge", "1 if replay is paused.",
           [](const S& s) { return flag(s.status.wal_paused); }},
    Series{"patroni_postgres_streaming", "gauge", "1 if WAL is received by streaming.",
           [](const S& s) { return flag(s.status.replication_state == "streaming"); },
           reports_replication_state},
    Series{"patroni_postgres_in_archive_recovery", "gauge", "1 if WAL is read from the archive.",
           [](const S& s) { return flag(s.status.replication_state == "in archive recovery"); },
           reports_replication_state},
    Series{"patroni_postgres_server_version", "gauge", "Version of PostgreSQL, as a number.",
           [](const S& s) { return number(s.status.server_version); }},
    Series{"patroni_cluster_unlocked", "gauge", "1 if no leader is known.",
           [](const S& s) { return flag(s.status.cluster_unlocked); }},
    Series{"patroni_failsafe_mode_is_active", "gauge", "1 if failsafe mode keeps the primary.",
           [](const S& s) { return flag(s.status.failsafe_active); }},
    Series{"patroni_failsafe_mode_enabled", "gauge", "1 if failsafe_mode is configured.",
           [](const S& s) { return flag(s.status.failsafe_enabled); }},
    Series{"patroni_failsafe_member", "gauge", "1 if this node is in the failsafe topology.",
           [](const S& s) { return flag(s.status.failsafe_member); }},
    Series{"patroni_postgres_timeline", "gauge", "Timeline of this node, 0 if unknown.",
           [](const S& s) { return number(s.status.timeline.value()); }},
    Series{"patroni_dcs_last_seen", "gauge", "Epoch seconds of the last read of the store.",
           [](const S& s) { return number(s.status.store_last_seen); }},
    Series{"patroni_pending_restart", "gauge", "1 if a setting waits for a restart.",
           [](const S& s) { return flag(s.status.pending_restart); }},
    Series{"patroni_is_paused", "gauge", "1 if the cluster is paused.",
           [](const S& s) { return flag(s.status.paused); }},
    Series{"patroni_postgres_state", "gauge", "State of PostgreSQL as a number, -1 if unknown.",
           [](const S& s) { return state_index(s.status.state); }, nullptr, state_values},
    Series{"patroni_failover_priority", "gauge", "Failover priority, 0 = never a candidate.",
           [](const S& s) { return number(s.status.tags.failover_priority); }},
};

// Our own, below all the others.
constexpr std::array own_series{
    Series{"tanist_cycle_seconds_last", "gauge", "Length of the last cycle: facts and decision.",
           [](const S& s) { return in_seconds(s.figures.cycle.last); }},
    Series{"tanist_cycle_seconds_sum", "counter", "Length of all cycles together.",
           [](const S& s) { return in_seconds(s.figures.cycle.sum); }},
    Series{"tanist_cycle_seconds_count", "counter", "Cycles.",
           [](const S& s) { return number(s.figures.cycle.count); }},
    Series{"tanist_loop_step_seconds_longest", "gauge", "Longest step of the loop since its start.",
           [](const S& s) { return in_seconds(s.figures.step.longest); }},
    Series{"tanist_loop_step_seconds_sum", "counter", "All steps of the loop together.",
           [](const S& s) { return in_seconds(s.figures.step.sum); }},
    Series{"tanist_loop_step_seconds_count", "counter", "Steps of the loop.",
           [](const S& s) { return number(s.figures.step.count); }},
    Series{"tanist_store_renewal_seconds_last", "gauge",
           "Latency of the last renewal in the store.",
           [](const S& s) { return in_seconds(s.figures.renewal.last); }},
    Series{"tanist_store_renewal_seconds_longest", "gauge", "Highest latency of a renewal so far.",
           [](const S& s) { return in_seconds(s.figures.renewal.longest); }},
    Series{"tanist_store_renewal_seconds_sum", "counter", "Latency of all renewals together.",
           [](const S& s) { return in_seconds(s.figures.renewal.sum); }},
    Series{"tanist_store_renewal_seconds_count", "counter", "Renewals that the store answered.",
           [](const S& s) { return number(s.figures.renewal.count); }},
    Series{"tanist_lease_margin_seconds", "gauge", "Time until this primary would be fenced.",
           [](const S& s) { return in_seconds(*s.lease_margin); },
           [](const S& s) { return s.lease_margin.has_value(); }},
    Series{"tanist_lease_margin_seconds_least", "gauge",
           "Least time that was left of the lease when it was renewed, since the start.",
           [](const S& s) { return in_seconds(*s.figures.lease_margin_least); },
           [](const S& s) { return s.figures.lease_margin_least.has_value(); }},
    Series{"tanist_guard_firings_total", "counter", "Times that the guard ended the server.",
           [](const S& s) { return number(s.figures.guard_firings); }},
    Series{"tanist_disk_threads_stuck", "gauge", "File operations that do not come back.",
           [](const S& s) { return number(s.figures.disk_threads_stuck); }},
    Series{"tanist_rest_certificate_expiry_seconds", "gauge",
           "When the certificate of the REST API expires, epoch seconds.",
           [](const S& s) {
             return number(
                 std::chrono::floor<seconds>(*s.certificate_expires).time_since_epoch().count());
           },
           [](const S& s) { return s.certificate_expires.has_value(); }},
    Series{"tanist_rest_connections", "gauge", "Connections open to the REST API.",
           [](const S& s) { return number(s.counters.connections); }},
    Series{"tanist_rest_requests_total", "counter", "Requests read by the REST API.",
           [](const S& s) { return number(s.counters.requests); }},
    Series{"tanist_rest_evicted_total", "counter", "Idle connections closed to make room.",
           [](const S& s) { return number(s.counters.evicted); }},
    Series{"tanist_rest_unanswered_total", "counter", "Requests that the agent answered too late.",
           [](const S& s) { return number(s.counters.unanswered); }},
    Series{"tanist_guard_state", "gauge", "State of the guard as a number.",
           [](const S& s) { return guard_index(s.status.document); }, nullptr,
           "# Values: 0=absent, 1=disarmed, 2=armed, 3=latched"},
    Series{"tanist_storage_failed", "gauge",
           "1 if the storage hangs, is full or fails, or the server takes no new connections.",
           [](const S& s) { return flag(!s.status.storage.good_enough()); }},
    Series{"tanist_storage_data_write_us", "gauge",
           "Microseconds of the last write and sync in the data directory, -1 if none.",
           [](const S& s) { return number(s.status.storage.data_us); }},
    Series{"tanist_storage_wal_write_us", "gauge",
           "The same in the WAL directory; -1 where that is the same file system.",
           [](const S& s) { return number(s.status.storage.wal_us); }},
    Series{"tanist_storage_connection_us", "gauge",
           "Microseconds that the last new connection to the server took, -1 if it failed.",
           [](const S& s) { return number(s.status.storage.connection_us); }},
};

// Prometheus reads a backslash, a quote and a line end only escaped.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string_view("\\n") : std::string_view(&c, 1);
  }
  return out;
}

void append_head(std::string& out, const Series& series) {
  out += format_text("# HELP {} {}\n", series.name, series.help);
  if (!series.remark.empty()) out += format_text("{}\n", series.remark);
  out += format_text("# TYPE {} {}\n", series.name, series.type);
}

void append_series(std::string& out, const Series& series, const Source& source,
                   std::string_view labels) {
  if (series.exists != nullptr && !series.exists(source)) return;
  append_head(out, series);
  out += format_text("{}{{{}}} {}\n", series.name, labels, series.value(source));
}

// By a label of its own; what has no certificate is left out.
void append_certificates(std::string& out, const Source& source, std::string_view labels) {
  const auto& ends = source.figures.certificate_ends;
  if (std::ranges::none_of(ends, [](const auto& end) { return end.has_value(); })) return;
  append_head(out, {"tanist_certificate_expiry_seconds", "gauge",
                    "When the certificate that a section of the configuration names expires, "
                    "epoch seconds.",
                    nullptr});
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (!ends[i]) continue;
    out += format_text("tanist_certificate_expiry_seconds{{{},section=\"{}\"}} {}\n", labels,
                       certificate_owners[i],
                       std::chrono::floor<seconds>(*ends[i]).time_since_epoch().count());
  }
}

// By a label of its own, too; reasons that never occurred are left out.
void append_decisions(std::string& out, const Source& source, std::string_view labels) {
  append_head(out, {"tanist_decisions_total", "counter", "Decisions by their reason.", nullptr});
  for (const auto& reason : names_of(Reason{})) {
    const auto count = source.figures.decisions.at(static_cast<std::size_t>(reason.first));
    if (count == 0) continue;
    out += format_text("tanist_decisions_total{{{},reason=\"{}\"}} {}\n", labels, reason.second,
                       count);
  }
}

}  // namespace

std::string render_metrics(const MetricsSource& source) {
  const auto& document = source.status.document;
  const auto labels =
      format_text(R"(scope="{}",name="{}")", escaped(word(document, {"patroni", "scope"})),
                  escaped(word(document, {"patroni", "name"})));
  std::string out;
  for (const auto& series : known_series) append_series(out, series, source, labels);
  for (const auto& series : own_series) append_series(out, series, source, labels);
  append_certificates(out, source, labels);
  append_decisions(out, source, labels);
  return out;
}

}  // namespace tanist::rest
