// SPDX-License-Identifier: Apache-2.0
// The entries of a node's journal and their text: one JSON object a line, the time first, then one
// member that names the kind (docs/guide/explain.md). Values only; any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/decision_news.h"
#include "journal/mask.h"

namespace tanist::journal {

// Readers refuse a higher number. Raised when an old reader would misread the new form; fields that
// are added do not count.
inline constexpr std::int64_t format_version = 1;

// An agent, or a new file of one, begins.
struct Begun {
  static constexpr std::string_view name = "begun";
  std::int64_t format = format_version;
  std::string version;  // of tanist
  std::string scope;
  MemberName member;

  static constexpr auto fields() {
    using B = Begun;
    return std::tuple{field("format", &B::format), field("version", &B::version),
                      field("scope", &B::scope), field("member", &B::member)};
  }
  friend bool operator==(const Begun&, const Begun&) = default;
};
static_assert(lists_all_fields<Begun>);

// A decision that was news, with everything it was made from.
struct Decided {
  static constexpr std::string_view name = "decided";
  std::string line;         // the status line, for people
  Observation observation;  // enough to decide again; secrets are masked
  Tree decision;            // as decision_tree() gives it, masked too
};

// An effect of interest ended.
struct Ended {
  static constexpr std::string_view name = "ended";
  std::string action;  // "promote_server"
  Duration took{0};
  bool ok = false;
  std::string error;

  static constexpr auto fields() {
    using E = Ended;
    return std::tuple{field("action", &E::action), field("took_ns", &E::took), field("ok", &E::ok),
                      field("error", &E::error)};
  }
  friend bool operator==(const Ended&, const Ended&) = default;
};
static_assert(lists_all_fields<Ended>);

// A load balancer's question "may I send writes to you" was answered with yes for the first time
// since this node became the leader.
struct Routed {
  static constexpr std::string_view name = "routed";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const Routed&, const Routed&) = default;
};

// The disk was too slow: so many entries were not written.
struct Dropped {
  static constexpr std::string_view name = "dropped";
  std::int64_t entries = 0;

  static constexpr auto fields() { return std::tuple{field("entries", &Dropped::entries)}; }
  friend bool operator==(const Dropped&, const Dropped&) = default;
};
static_assert(lists_all_fields<Dropped>);

struct Entry {
  WallTime at;
  Instant instant;
  std::variant<Begun, Decided, Ended, Routed, Dropped> body;
};

// ---- Decisions as trees ----------------------------------------------------------------------

// `why`, `actions`, `wake_at`, and of `next` what differs from the memory before. A locked view
// that is the observed one is written as "@view".
Tree decision_tree(const Observation& obs, const Decision& decision);

// ---- Text ------------------------------------------------------------------------------------

// A DecisionRecord as an entry, secrets and all; only text() masks.
Entry entry_of(const DecisionRecord& record);

// One line with its line break. No secret is in it.
std::string text(const Entry& entry, SecretMask& mask);

// The largest line that is written or read.
inline constexpr std::size_t line_bytes_max = 4 * 1024 * 1024;

// Of one line without its line break. Errc::invalid when it is no entry; refused when a newer
// tanist wrote it in a form that this one does not know.
Result<Entry> parse_entry(std::string_view line);

// The time at the beginning of a line, without reading the rest.
std::optional<WallTime> time_of_line(std::string_view line);

}  // namespace tanist::journal
