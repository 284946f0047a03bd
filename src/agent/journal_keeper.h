// SPDX-License-Identifier: Apache-2.0
// The agent's side of the journal: takes what is worth telling from the driver without ever
// waiting, has it written by the disk pool, and turns a change of leadership into a digest for the
// store. A disk that hangs costs entries, which are counted, and nothing else. Loop thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/loop/event.h"
#include "core/settings.h"
#include "journal/file.h"
#include "journal/incident.h"
#include "os/disk.h"

namespace tanist::agent {

class JournalKeeper {
 public:
  struct Hooks {
    std::function<WallTime()> wall;
    std::function<Instant()> now;
    // Puts a digest into the store.
    std::function<void(journal::Incident)> tell;
  };

  JournalKeeper(boost::asio::any_io_executor executor, os::DiskPool& disk, const Settings& settings,
                Hooks hooks);

  void decided(std::shared_ptr<const DecisionRecord> record);
  void started(const Effect& effect);
  void ended(const EffectFinished& event);
  // A load balancer was told that this node takes writes.
  void routed();
  // The newest lines since then, for GET /journal.
  os::Awaitable<Result<std::string>> read(WallTime since, std::size_t bytes_max);

  // Something is not written yet.
  bool busy() const { return writing_; }

 private:
  using Pending = std::variant<std::shared_ptr<const DecisionRecord>, journal::Entry>;
  struct Running {
    std::string action;
    Task task;
    Instant since;
  };
  struct Written {
    std::vector<journal::StoryLine> lines;
    std::optional<Error> error;
  };

  void add(Pending pending);
  void add(decltype(journal::Entry::body) body);
  os::Awaitable<void> write_all();
  os::Awaitable<void> write_batch();
  static Written write(const std::vector<Pending>& batch,
                       const std::shared_ptr<journal::File>& file, const MemberName& member);
  void heed(Result<Written> written);
  void take_lines(std::vector<journal::StoryLine> lines);

  boost::asio::any_io_executor executor_;
  os::DiskPool& disk_;
  journal::FileOptions options_;
  Hooks hooks_;
  std::shared_ptr<journal::File> file_;  // null = nothing is written
  std::deque<Pending> queue_;
  std::int64_t dropped_ = 0;
  bool writing_ = false;
  bool complained_ = false;
  std::map<EffectId, Running> running_;
  std::map<Task, std::string> last_error_;  // said last, by task
  std::vector<journal::StoryLine> story_;   // the last lines of this node
  std::optional<journal::Incident> told_;   // the digest that was told last
};

// The name of the action, as journals and logs have it: "promote_server".
std::string_view action_name(const decltype(Effect::body)& body);

}  // namespace tanist::agent
