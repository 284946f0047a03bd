// SPDX-License-Identifier: Apache-2.0
// Entries to lines and back. Documents that an observation holds twice are written once: a
// placeholder ("@config", "@view") stands where a map would be. Pure; any thread.
#include "journal/entry.h"

#include "base/json.h"
#include "core/status_line.h"

namespace tanist::journal {

namespace {

constexpr std::string_view same_config = "@config";
constexpr std::string_view same_view = "@view";

bool is_placeholder(const Tree& tree, std::string_view name) {
  const auto* text = tree.as_string();
  return text != nullptr && *text == name;
}

Tree* find_path(Tree& tree, std::initializer_list<std::string_view> keys) {
  auto* at = &tree;
  for (const auto key : keys) {
    at = at->find(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

void write_once(Tree& view, const Tree* config) {
  view.erase("digests");  // the story of others; the store keeps it
  auto* value = find_path(view, {"config", "value"});
  if (value != nullptr && config != nullptr && *value == *config) *value = same_config;
}

void restore(Tree& view, const Tree* config) {
  auto* value = find_path(view, {"config", "value"});
  if (value != nullptr && config != nullptr && is_placeholder(*value, same_config))
    *value = *config;
}

Tree observation_tree(const Observation& obs) {
  auto tree = to_tree(obs);
  const auto* config = tree.find("config");
  auto* view = find_path(tree, {"store", "view"});
  auto* locked = find_path(tree, {"memory", "locked_view"});
  if (locked != nullptr && view != nullptr && *locked == *view) *locked = same_view;
  if (view != nullptr) write_once(*view, config);
  if (locked != nullptr && locked->is_map()) write_once(*locked, config);
  return tree;
}

Result<Observation> observation_from(Tree tree) {
  const auto* config = tree.find("config");
  auto* view = find_path(tree, {"store", "view"});
  auto* locked = find_path(tree, {"memory", "locked_view"});
  if (view != nullptr) restore(*view, config);
  if (locked != nullptr && is_placeholder(*locked, same_view)) {
    if (view == nullptr) return fail(Errc::invalid, "a view is missing");
    *locked = *view;
  } else if (locked != nullptr) {
    restore(*locked, config);
  }
  Observation obs;
  if (!from_tree(tree, obs) || !obs.node || !obs.cluster || !obs.config || !obs.memory) {
    return fail(Errc::invalid, "the observation has another form");
  }
  return obs;
}

Tree decided_tree(const Decided& decided) {
  return Tree::map({{"line", Tree(decided.line)},
                    {"observation", observation_tree(decided.observation)},
                    {"decision", decided.decision}});
}

Result<Decided> decided_from(const Tree& tree) {
  const auto* line = tree.find("line");
  const auto* observation = tree.find("observation");
  const auto* decision = tree.find("decision");
  if (observation == nullptr || decision == nullptr || !decision->is_map()) {
    return fail(Errc::invalid, "observation or decision is missing");
  }
  auto obs = observation_from(*observation);
  if (!obs) return pass_on(obs.error());
  const auto* words = line != nullptr ? line->as_string() : nullptr;
  return Decided{words != nullptr ? *words : std::string(), std::move(*obs), *decision};
}

template <class Body>
Result<void> read_body(const Tree& tree, Entry& entry) {
  Body body;
  if (!from_tree(tree, body)) return fail(Errc::invalid, "`{}` has another form", Body::name);
  entry.body = std::move(body);
  return {};
}

Result<void> read_begun(const Tree& tree, Entry& entry) {
  const auto* format = tree.find("format");
  const auto* number = format != nullptr ? format->as_int() : nullptr;
  if (number != nullptr && *number > format_version) {
    return fail(Errc::refused, "written by a newer tanist: format {}, this one reads up to {}",
                *number, format_version);
  }
  return read_body<Begun>(tree, entry);
}

Result<void> read_kind(std::string_view kind, const Tree& tree, Entry& entry) {
  if (kind == Decided::name) {
    auto decided = decided_from(tree);
    if (!decided) return pass_on(decided.error());
    entry.body = std::move(*decided);
    return {};
  }
  if (kind == Begun::name) return read_begun(tree, entry);
  if (kind == Ended::name) return read_body<Ended>(tree, entry);
  if (kind == Routed::name) return read_body<Routed>(tree, entry);
  if (kind == Dropped::name) return read_body<Dropped>(tree, entry);
  return fail(Errc::invalid, "`{}` is no kind of entry", kind);
}

}  // namespace

Tree decision_tree(const Observation& obs, const Decision& decision) {
  const auto before = to_tree(*obs.memory);
  const auto after = to_tree(decision.next);
  Tree next = Tree::map();
  for (const auto& [name, value] : *after.as_map()) {
    const auto* old = before.find(name);
    if (old == nullptr || *old != value) next.set(name, value);
  }
  for (const auto& [name, value] : *before.as_map()) {
    if (after.find(name) == nullptr) next.set(name, Tree());
  }
  if (next.find("locked_view") != nullptr && decision.next.locked_view == obs.store.view) {
    next.set("locked_view", same_view);
  } else if (auto* locked = next.find("locked_view"); locked != nullptr && locked->is_map()) {
    locked->erase("digests");
  }
  return Tree::map({{"why", to_tree(decision.why)},
                    {"actions", to_tree(decision.actions)},
                    {"wake_at", to_tree(decision.wake_at)},
                    {"next", std::move(next)}});
}

Entry entry_of(const DecisionRecord& record) {
  const auto& obs = record.observation;
  return {obs.wall, obs.now,
          Decided{status_line(record.decision.why, obs).text, obs,
                  decision_tree(obs, record.decision)}};
}

std::string text(const Entry& entry, SecretMask& mask) {
  Tree line = Tree::map({{"at", Tree(to_iso8601(entry.at))}, {"instant", to_tree(entry.instant)}});
  const auto put = [&]<class Body>(const Body& body) {
    if constexpr (std::is_same_v<Body, Decided>) {
      line.set(Body::name, decided_tree(body));
    } else {
      line.set(Body::name, to_tree(body));
    }
  };
  std::visit(put, entry.body);
  mask.hide(line);
  return to_json(line) + "\n";
}

Result<Entry> parse_entry(std::string_view line) {
  if (line.size() > line_bytes_max) return fail(Errc::invalid, "the line is too long");
  const auto tree = parse_json(line, line_bytes_max);
  if (!tree) return pass_on(tree.error());
  const auto* map = tree->as_map();
  if (map == nullptr || map->size() < 3) return fail(Errc::invalid, "not an entry of a journal");
  const auto* at = map->at(0).second.as_string();
  const auto time = at != nullptr ? parse_timestamp(*at) : std::nullopt;
  Entry entry;
  if (map->at(0).first != "at" || !time || map->at(1).first != "instant" ||
      !from_tree(map->at(1).second, entry.instant)) {
    return fail(Errc::invalid, "the time is missing");
  }
  entry.at = time->time;
  const auto read = read_kind(map->at(2).first, map->at(2).second, entry);
  if (!read) return pass_on(read.error());
  return entry;
}

std::optional<WallTime> time_of_line(std::string_view line) {
  constexpr std::string_view begin = R"({"at":")";
  if (!line.starts_with(begin)) return std::nullopt;
  line.remove_prefix(begin.size());
  const auto end = line.find('"');
  if (end == std::string_view::npos) return std::nullopt;
  const auto time = parse_timestamp(line.substr(0, end));
  return time ? std::optional(time->time) : std::nullopt;
}

}  // namespace tanist::journal
