// SPDX-License-Identifier: Apache-2.0
// The member table, made from the cluster document. Pure; any thread.
#include "ctl/member_table.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/format.h"
#include "core/cluster_document.h"
#include "ctl/member_tree.h"
#include "ctl/times.h"
#include "yaml/yaml.h"

namespace tanist::ctl {

namespace {

constexpr std::size_t reason_width_max = 50;

std::string text_at(const Tree& member, std::string_view key) {
  const auto* value = member.find(key);
  return value == nullptr || value->is_null() ? "" : text_form(*value);
}

// `sync_standby` as `Sync Standby`.
std::string role_title(std::string role) {
  bool begins_word = true;
  for (auto& c : role) {
    if (begins_word && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins_word = c == '_';
    if (c == '_') c = ' ';
  }
  return role;
}

// Whole MiB, rounded half to even.
Tree mebibytes(std::int64_t bytes) {
  constexpr std::int64_t mebibyte = 1024 * 1024;
  const auto whole = bytes / mebibyte;
  const auto rest = bytes % mebibyte;
  const bool up = rest > mebibyte / 2 || (rest == mebibyte / 2 && whole % 2 == 1);
  return {up ? whole + 1 : whole};
}

struct Position {
  Tree lsn = "";
  Tree lag = "";
};

Position position_at(const Tree& member, std::string_view lsn_key, std::string_view lag_key) {
  const auto* lsn = member.find(lsn_key);
  if (lsn == nullptr) return {};
  const auto* lag = member.find(lag_key);
  const auto* bytes = lag != nullptr ? lag->as_int() : nullptr;
  return {*lsn, bytes != nullptr ? mebibytes(*bytes) : Tree("")};
}

// For people, with how far a copy has come: "creating replica (45%)".
std::string shown_state(const Tree& member, const MemberTableStyle& style) {
  if (style.format != Format::pretty || style.as_patronictl) return text_at(member, "state");
  const auto progress = text_at(member, "progress");
  const auto state = text_at(member, "state");
  return progress.empty() ? state : format_text("{} ({})", state, progress);
}

struct Positions {
  Position received;
  Position replayed;
};

// Members that publish but one position (older than receive_lsn and replay_lsn) show it where it
// belongs by their state.
Positions positions_of(const Tree& member) {
  Positions out{position_at(member, "receive_lsn", "receive_lag"),
                position_at(member, "replay_lsn", "replay_lag")};
  const auto single = position_at(member, "lsn", "lag");
  const bool is_old = out.received.lsn == Tree("unknown") && out.replayed.lsn == Tree("unknown");
  if (!is_old || single.lsn == Tree("unknown")) return out;
  (text_at(member, "state") == "streaming" ? out.received : out.replayed) = single;
  return out;
}

std::string pending_reasons(const Tree& member, bool shortens) {
  const auto* reasons = member.find("pending_restart_reason");
  if (reasons == nullptr || !reasons->is_map()) return {};
  std::string out;
  for (const auto& [name, change] : *reasons->as_map()) {
    auto line =
        format_text("{}: {}->{}", name, text_at(change, "old_value"), text_at(change, "new_value"));
    if (shortens && display_width(line) > reason_width_max) line = name + ": [hidden - too long]";
    out += (out.empty() ? "" : "\n") + line;
  }
  return out;
}

std::string scheduled_restart(const Tree& member) {
  const auto* restart = member.find("scheduled_restart");
  if (restart == nullptr || !restart->is_map()) return {};
  auto out = text_at(*restart, "schedule");
  const auto version = text_at(*restart, "postgres_version");
  return version.empty() ? out : out + " if version < " + version;
}

Tree tags_cell(const Tree& member, const MemberTableStyle& style) {
  const auto* tags = member.find("tags");
  if (tags == nullptr || !tags->truthy()) return "";
  if (style.format == Format::json || style.format == Format::yaml) return *tags;
  if (style.as_tree || style.format == Format::tsv) return yaml::to_yaml(*tags, {.flow = true});
  auto block = yaml::to_yaml(*tags);
  while (block.ends_with('\n')) block.pop_back();
  return block;
}

class MemberTable {
 public:
  MemberTable(const Reading& cluster, const MemberTableStyle& style)
      : cluster_(cluster),
        style_(style),
        document_(cluster_document(*cluster.view, cluster.settings, cluster.scope)) {
    for (const auto& member : *document_.find("members")->as_list()) {
      members_[text_at(member, "name")] = &member;
    }
    look_at_ports();
  }

  Table table() const {
    Table table{.title = title(), .columns = columns(), .omits_empty = true};
    if (style_.as_tree) {
      for (const auto& [name, depth] : member_tree(*cluster_.view)) {
        const auto prefix = depth > 0 ? std::string(2 * (depth - 1), ' ') + "+ " : "";
        table.rows.push_back(row(*members_.at(name.value()), prefix + name.value()));
      }
    } else {
      for (const auto& [name, member] : members_) table.rows.push_back(row(*member, name));
    }
    drop_empty_columns(table);
    return table;
  }

  std::string footer() const {
    std::string out;
    if (cluster_.settings.pause) out += " Maintenance mode: on\n";
    if (const auto* planned = document_.find("scheduled_switchover")) {
      out += format_text(" Switchover scheduled at: {}\n", scheduled_time(*planned));
      for (const auto* key : {"from", "to"}) {
        const auto name = text_at(*planned, key);
        if (!name.empty()) out += format_text("{:>24}: {}\n", key, name);
      }
    }
    return out;
  }

 private:
  bool shows_cluster() const { return style_.format != Format::pretty; }

  // In the zone that it was given in.
  std::string scheduled_time(const Tree& planned) const {
    const auto& written = cluster_.view->failover->scheduled_text;
    const auto schedule = parse_schedule(written, WallTime());
    return schedule && *schedule ? (*schedule)->iso8601() : text_at(planned, "at");
  }

  std::string title() const {
    const auto& initialize = cluster_.view->initialize;
    std::string state = "uninitialized";
    if (initialize) {
      state =
          initialize->system_id.value().empty() ? "initializing" : initialize->system_id.value();
    }
    return format_text(" Cluster: {} ({}) ", cluster_.scope, state);
  }

  std::vector<Column> columns() const {
    std::vector<Column> out{{"Member"},
                            {"Host"},
                            {"Role"},
                            {"State"},
                            {"TL", Align::right},
                            {"Receive LSN", Align::right},
                            {"Receive Lag", Align::right, "Lag"},
                            {"Replay LSN", Align::right},
                            {"Replay Lag", Align::right, "Lag"},
                            {"Pending restart"},
                            {"Pending restart reason"},
                            {"Scheduled restart"},
                            {"Tags"},
                            {"Guard"}};
    if (shows_cluster()) out.insert(out.begin(), {"Cluster"});
    return out;
  }

  // One member with another port, or two on one host, and all rows show ports.
  void look_at_ports() {
    std::set<std::string> hosts;
    for (const auto& [name, member] : members_) {
      const auto host = text_at(*member, "host");
      if (host.empty()) continue;
      shows_ports_ |= text_at(*member, "port") != "5432" || !hosts.insert(host).second;
    }
  }

  std::string host(const Tree& member) const {
    const auto host = text_at(member, "host");
    if (host.empty() || !shows_ports_) return host;
    return host + ":" + text_at(member, "port");
  }

  std::vector<Tree> row(const Tree& member, const std::string& name) const {
    const auto at = positions_of(member);
    const auto* timeline = member.find("timeline");
    const bool pending =
        member.find("pending_restart") != nullptr && member.find("pending_restart")->truthy();
    std::vector<Tree> cells{name,
                            host(member),
                            role_title(text_at(member, "role")),
                            shown_state(member, style_),
                            timeline != nullptr ? *timeline : Tree(""),
                            at.received.lsn,
                            at.received.lag,
                            at.replayed.lsn,
                            at.replayed.lag,
                            pending ? "*" : "",
                            pending_reasons(member, style_.format == Format::pretty),
                            scheduled_restart(member),
                            tags_cell(member, style_),
                            text_at(member, "guard")};
    if (shows_cluster()) cells.insert(cells.begin(), cluster_.scope);
    return cells;
  }

  // Four columns stay only where a member with a known host fills them; they are those of
  // patronictl. The guard is told where it is not as it should be, and on demand.
  void drop_empty_columns(Table& table) const {
    const auto guard = table.columns.size() - 1;
    const bool shows_guard = is_filled(table, guard, [this](const Tree& cell) {
      return style_.extended || cell == Tree("absent") || cell == Tree("latched");
    });
    if (!shows_guard || style_.as_patronictl) drop(table, guard);
    if (style_.extended) return;
    for (auto column = guard; column-- > guard - 4;) {
      if (!is_filled(table, column, [](const Tree&) { return true; })) drop(table, column);
    }
  }

  template <typename Counts>
  bool is_filled(const Table& table, std::size_t column, Counts counts) const {
    const std::size_t host_at = shows_cluster() ? 2 : 1;
    return std::ranges::any_of(table.rows, [&](const auto& row) {
      return row[host_at] != Tree("") && row[column] != Tree("") && counts(row[column]);
    });
  }

  static void drop(Table& table, std::size_t column) {
    const auto at = static_cast<std::ptrdiff_t>(column);
    for (auto& row : table.rows) row.erase(row.begin() + at);
    table.columns.erase(table.columns.begin() + at);
  }

  const Reading& cluster_;
  MemberTableStyle style_;
  Tree document_;
  std::map<std::string, const Tree*> members_;
  bool shows_ports_ = false;
};

}  // namespace

std::string member_table_text(const Reading& cluster, const MemberTableStyle& style) {
  const MemberTable members(cluster, style);
  auto out = to_text(members.table(), style.format);
  if (style.format == Format::pretty) out += members.footer();
  return out;
}

}  // namespace tanist::ctl
