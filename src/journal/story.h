// SPDX-License-Identifier: Apache-2.0
// A node's story: each entry of its journal cut down to what tells how leadership changed. Small
// enough to be held for hours, where an entry holds whole views. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "journal/entry.h"

namespace tanist::journal {

struct StoryLine {
  MemberName member;
  WallTime at;       // by the member's own clock until align_clocks() corrected it
  std::string text;  // for people
  bool is_decision = false;
  bool is_beginning = false;  // the agent was started
  bool is_routed = false;

  // Of a decision:
  Reason reason = Reason::starting_up;
  ServerState state = ServerState::unknown;
  bool alive = false;               // a postmaster runs
  std::optional<bool> in_recovery;  // absent = the server does not answer
  bool is_streaming = false;        // its WAL receiver works
  bool store_is_current = false;
  bool shutting_down = false;
  bool bootstrapping = false;  // it makes a new cluster
  bool has_view = false;
  MemberName leader;  // by the view; empty = nobody
  std::optional<LostLeader> lost;
  std::optional<FailoverView> request;
  std::optional<Revision> reign;  // create revision of the lock that it holds
  WallTime taken_at;              // when it took that
  Revision view_revision;
  WallTime view_at;  // when the view of that revision came
  Lsn position;
  Lsn optime;  // last position that a leader published
  Timeline timeline;
  seconds ttl{0};
  std::vector<std::string> remarks;  // what the decision logged
  std::optional<DivergenceFacts> divergence;
};

// `member` stands in for entries that do not name theirs.
StoryLine line_of(const Entry& entry, const MemberName& member);

// What a decision did, in words: the status line, or the reason with what was ordered.
std::string words_of(const Decided& decided);

// Appends line_of() of each entry of a journal to `story`; the member is the one that the journal
// names.
class StoryReader {
 public:
  void take(const Entry& entry);
  const MemberName& member() const { return member_; }
  std::vector<StoryLine> take_lines() { return std::move(lines_); }

 private:
  MemberName member_;
  std::vector<StoryLine> lines_;
};

// ---- Clocks ----------------------------------------------------------------------------------

using Stories = std::map<MemberName, std::vector<StoryLine>>;

// How far a member's clock is ahead of the reference's.
struct ClockOffset {
  MemberName member;
  std::chrono::microseconds ahead{0};
  std::size_t samples = 0;  // revisions of the store that both saw; 0 = nothing is known

  static constexpr auto fields() {
    using C = ClockOffset;
    return std::tuple{field("member", &C::member), field("ahead_us", &C::ahead),
                      field("samples", &C::samples)};
  }
  friend bool operator==(const ClockOffset&, const ClockOffset&) = default;
};
static_assert(lists_all_fields<ClockOffset>);

// Sets every story to the clock of one member, the one that saw most. A revision of the store
// reaches all watchers within milliseconds: the median of the differences between the times at
// which two members saw the same revisions is the difference of their clocks.
std::vector<ClockOffset> align_clocks(Stories& stories);

// Both in one, by time; lines of one story keep their order.
std::vector<StoryLine> merged(const std::vector<StoryLine>& a, const std::vector<StoryLine>& b);
// All lines, by time.
std::vector<StoryLine> merged(const Stories& stories);

}  // namespace tanist::journal
