// SPDX-License-Identifier: Apache-2.0
// Key paths, writing of values, and reading of all keys but the members'. Pure; any thread.
#include "store/codec.h"

#include <algorithm>
#include <cctype>

#include "store/codec_json.h"

namespace tanist::store {

KeyPaths::KeyPaths(std::string_view name_space, std::string_view scope) {
  std::string path = "/" + std::string(name_space) + "/" + std::string(scope);
  const auto repeated =
      std::ranges::unique(path, [](char a, char b) { return a == '/' && b == a; });
  path.erase(repeated.begin(), repeated.end());
  prefix_ = path + "/";
  range_end_ = path + static_cast<char>('/' + 1);
}

std::optional<std::string> KeyPaths::relative(std::string_view key) const {
  if (!key.starts_with(prefix_)) return std::nullopt;
  return std::string(key.substr(prefix_.size()));
}

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<std::uint64_t> position_of(const Tree& value) {
  const auto number = to_int(value);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

// The entry itself, or the JSON inside it when it is a string (as older writers did it).
Tree unwrapped(const Tree& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr) return {};
  const auto* text = value->as_string();
  return text != nullptr ? json_or_null(*text) : *value;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::vector<MemberName> names_in(std::string_view list, std::string_view without) {
  std::vector<MemberName> names;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto name = trimmed(list.substr(0, comma));
    if (!name.empty() && !same_name(name, without)) names.emplace_back(std::string(name));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

}  // namespace

LeaderView decode_leader(const StoredKey& key) {
  return {MemberName(key.value), key.create_revision, key.revision, key.lease};
}

InitializeView decode_initialize(const StoredKey& key) {
  return {SystemId(key.value), key.revision, key.lease};
}

ConfigView decode_config(const StoredKey& key) {
  ConfigView config{.revision = key.revision};
  Tree value = json_or_null(key.value);
  config.valid = value.is_map();
  if (config.valid) config.value = std::move(value);
  return config;
}

FailoverView decode_failover(const StoredKey& key) {
  FailoverView failover{.revision = key.revision};
  if (key.value.empty()) return failover;
  const auto parsed = parse_json(key.value);
  if (!parsed) {  // legacy form: leader:candidate
    const auto text = std::string_view(key.value);
    const auto colon = text.find(':');
    failover.leader = MemberName(std::string(trimmed(text.substr(0, colon))));
    if (colon != std::string_view::npos) {
      failover.member = MemberName(std::string(trimmed(text.substr(colon + 1))));
    }
    return failover;
  }
  failover.leader = MemberName(text_of(*parsed, "leader"));
  failover.member = MemberName(text_of(*parsed, "member"));
  failover.scheduled_text = text_of(*parsed, "scheduled_at");
  failover.scheduled_at = parse_timestamp(failover.scheduled_text);
  return failover;
}

SyncView decode_sync(const StoredKey& key) {
  SyncView sync{.revision = key.revision};
  const Tree value = json_or_null(key.value);
  const auto* quorum = value.find("quorum");
  const auto number = quorum == nullptr || quorum->is_null() ? std::optional<std::int64_t>(0)
                      : quorum->as_bool() != nullptr         ? std::nullopt
                                                             : to_int(*quorum);
  if (!value.is_map() || !number) return sync;
  const auto leader = text_of(value, "leader");
  if (leader.empty()) return sync;
  sync.leader = MemberName(leader);
  sync.quorum = *number;
  sync.standbys = names_in(text_of(value, "sync_standby"), leader);
  return sync;
}

StatusView decode_status(const StoredKey& key) {
  StatusView status{.revision = key.revision};
  const Tree value = json_or_null(key.value);
  if (value.as_int() != nullptr) {  // legacy form: the bare position
    status.optime = Lsn(position_of(value).value_or(0));
    return status;
  }
  if (const auto* optime = value.find("optime")) {
    status.optime = Lsn(position_of(*optime).value_or(0));
  }
  if (const auto* timeline = value.find("timeline")) {
    const auto number = position_of(*timeline).value_or(0);
    if (number <= UINT32_MAX) status.timeline = Timeline(static_cast<std::uint32_t>(number));
  }
  const Tree slots = unwrapped(value, "slots");
  if (const auto* entries = slots.as_map()) {
    for (const auto& [slot, lsn] : *entries) {
      if (const auto position = position_of(lsn)) status.slots.emplace(slot, *position);
    }
  }
  const Tree retained = unwrapped(value, "retain_slots");
  if (const auto* items = retained.as_list()) {
    for (const auto& item : *items) {
      if (const auto* slot = item.as_string()) status.retain_slots.insert(*slot);
    }
  }
  return status;
}

StatusView decode_legacy_optime(const StoredKey& key) {
  const auto text = std::string(trimmed(key.value));
  return {.optime = Lsn(position_of(Tree(text)).value_or(0))};
}

namespace {

std::optional<HistoryLine> decode_line(const Tree& entry) {
  const auto* cells = entry.as_list();
  if (cells == nullptr || cells->size() < 3) return std::nullopt;
  const auto timeline = to_int(cells->at(0));
  const auto lsn = position_of(cells->at(1));
  if (!timeline || *timeline <= 0 || *timeline > UINT32_MAX || !lsn) return std::nullopt;
  const auto text = [&](std::size_t at) {
    return at < cells->size() && !cells->at(at).is_null() ? text_form(cells->at(at)) : "";
  };
  return HistoryLine{Timeline(static_cast<std::uint32_t>(*timeline)), Lsn(*lsn), text(2), text(3),
                     text(4)};
}

}  // namespace

HistoryView decode_history(const StoredKey& key) {
  HistoryView history{.revision = key.revision};
  Tree value = json_or_null(key.value);
  const auto* entries = value.as_list();
  if (entries == nullptr) return history;
  // The cluster's timeline follows from the last line: if that is unusable, all of it is.
  if (!entries->empty() && !decode_line(entries->back())) return history;
  for (const auto& entry : *entries) {
    if (auto line = decode_line(entry)) history.lines.push_back(std::move(*line));
  }
  history.value = std::move(value);
  return history;
}

std::optional<FailsafeView> decode_failsafe(const StoredKey& key) {
  const Tree value = json_or_null(key.value);
  const auto* entries = value.as_map();
  if (entries == nullptr) return std::nullopt;
  FailsafeView failsafe{.revision = key.revision};
  // A member without a usable URL stays listed: it must agree too, and cannot be asked.
  for (const auto& [name, url] : *entries) {
    const auto* text = url.as_string();
    failsafe.members.emplace(MemberName(name), text != nullptr ? *text : std::string());
  }
  return failsafe;
}

DigestsView decode_digests(const StoredKey& key) {
  DigestsView digests{.value = json_or_null(key.value), .revision = key.revision};
  if (!digests.value->is_list()) digests.value = Tree();
  return digests;
}

PoolersView decode_poolers(const StoredKey& key) {
  PoolersView poolers{.hosts = {}, .databases = {}, .revision = key.revision};
  const Tree value = json_or_null(key.value);
  const auto read = [&](std::string_view name, std::vector<std::string>& into) {
    const auto* entry = value.find(name);
    const auto* items = entry != nullptr ? entry->as_list() : nullptr;
    if (items == nullptr) return;
    for (const auto& item : *items) {
      if (const auto* text = item.as_string()) into.push_back(*text);
    }
  };
  read("hosts", poolers.hosts);
  read("databases", poolers.databases);
  return poolers;
}

std::string encode_status(const StatusView& status) {
  Tree out = Tree::map({{"optime", Tree(status.optime.value())}});
  if (status.timeline != Timeline()) out.set("timeline", static_cast<int>(status.timeline.value()));
  if (!status.slots.empty()) {
    Tree slots = Tree::map();
    for (const auto& [slot, lsn] : status.slots) slots.set(slot, Tree(lsn));
    out.set("slots", std::move(slots));
  }
  if (!status.retain_slots.empty()) {
    Tree retained = Tree::list();
    for (const auto& slot : status.retain_slots) retained.push(slot);
    out.set("retain_slots", std::move(retained));
  }
  return to_json(out);
}

std::string encode_sync(const SyncView& sync) {
  std::vector<MemberName> sorted = sync.standbys;
  std::ranges::sort(sorted);
  std::string standbys;
  for (const auto& name : sorted) standbys += (standbys.empty() ? "" : ",") + name.value();
  const auto or_null = [](const std::string& text) { return text.empty() ? Tree() : Tree(text); };
  return to_json(Tree::map({{"leader", or_null(sync.leader.value())},
                            {"quorum", Tree(sync.quorum)},
                            {"sync_standby", or_null(standbys)}}));
}

std::string encode_failover(const FailoverView& failover) {
  Tree out = Tree::map();
  if (!failover.leader.value().empty()) out.set("leader", failover.leader.value());
  if (!failover.member.value().empty()) out.set("member", failover.member.value());
  // Never a text that is no time: it would fail the whole read of a Patroni member.
  if (failover.scheduled_at) {
    const bool as_given = parse_timestamp(failover.scheduled_text) == failover.scheduled_at;
    out.set("scheduled_at",
            as_given ? failover.scheduled_text : to_iso8601(*failover.scheduled_at));
  }
  return to_json(out);
}

std::string encode_failsafe(const std::map<MemberName, std::string>& members) {
  Tree out = Tree::map();
  for (const auto& [name, url] : members) out.set(name.value(), url);
  return to_json(out);
}

std::string encode_history(const std::vector<HistoryLine>& lines) {
  std::vector<std::string> newest_first;
  std::size_t bytes = 2;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    Tree cells = Tree::list({Tree(static_cast<std::int64_t>(line->timeline.value())),
                             Tree(line->switch_lsn.value()), Tree(line->reason)});
    if (!line->timestamp.empty() || !line->new_leader.empty()) cells.push(line->timestamp);
    if (!line->new_leader.empty()) cells.push(line->new_leader);
    newest_first.push_back(to_json(cells));
    bytes += newest_first.back().size() + 1;
    if (bytes > value_bytes_max) {
      newest_first.pop_back();
      break;
    }
  }
  std::string out = "[";
  for (auto line = newest_first.rbegin(); line != newest_first.rend(); ++line) {
    if (out.size() > 1) out += ',';
    out += *line;
  }
  return out + "]";
}

}  // namespace tanist::store
