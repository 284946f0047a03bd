// SPDX-License-Identifier: Apache-2.0
// Queueing, writing in batches, and the digest.
#include "agent/journal_keeper.h"

#include "base/log.h"
#include "journal/reader.h"

namespace tanist::agent {

namespace {

constexpr std::size_t queue_max = 256;
constexpr std::size_t batch_max = 32;
constexpr std::size_t story_max = 400;
constexpr Duration write_time_max = seconds(10);

}  // namespace

std::string_view action_name(const decltype(Effect::body)& body) {
  const auto name = []<class Body>(const Body&) -> std::string_view { return Body::name; };
  return std::visit([&](const auto& action) { return std::visit(name, action); }, body);
}

JournalKeeper::JournalKeeper(boost::asio::any_io_executor executor, os::DiskPool& disk,
                             const Settings& settings, Hooks hooks)
    : executor_(std::move(executor)),
      disk_(disk),
      options_{.directory = settings.journal.directory,
               .file_bytes_max = settings.journal.file_bytes_max,
               .scope = settings.node.scope,
               .member = settings.node.name},
      hooks_(std::move(hooks)) {
  if (settings.journal.enabled) file_ = std::make_shared<journal::File>(options_);
}

// ---- What is worth telling -------------------------------------------------------------------

void JournalKeeper::decided(std::shared_ptr<const DecisionRecord> record) {
  add(Pending(std::move(record)));
}

void JournalKeeper::started(const Effect& effect) {
  running_[effect.id] = {std::string(action_name(effect.body)), effect.task, hooks_.now()};
}

void JournalKeeper::ended(const EffectFinished& event) {
  const auto at = running_.find(event.id);
  if (at == running_.end()) return;
  const auto running = std::move(at->second);
  running_.erase(at);
  journal::Ended ended{
      .action = running.action, .took = hooks_.now() - running.since, .ok = true, .error = {}};
  if (const auto* store = std::get_if<StoreResult>(&event.result)) {
    ended.ok = store->verdict == StoreVerdict::done;
    if (!ended.ok) ended.error = store->detail;
  } else if (const auto* server = std::get_if<ServerResult>(&event.result)) {
    ended.ok = server->ok;
    ended.error = server->error;
  }
  auto& last_error = last_error_[running.task];
  const bool is_new_error = !ended.ok && ended.error != last_error;
  const bool is_over = ended.ok && !last_error.empty();
  last_error = ended.ok ? std::string() : ended.error;
  // Of routine only its failures are told, and each only once.
  if (is_routine(running.task) && !is_new_error && !is_over) return;
  add(std::move(ended));
}

void JournalKeeper::routed() { add(journal::Routed{}); }

// ---- The queue -------------------------------------------------------------------------------

void JournalKeeper::add(decltype(journal::Entry::body) body) {
  add(Pending(journal::Entry{hooks_.wall(), hooks_.now(), std::move(body)}));
}

// The oldest stay: they tell how it began.
void JournalKeeper::add(Pending pending) {
  if (queue_.size() >= queue_max) {
    ++dropped_;
    return;
  }
  queue_.push_back(std::move(pending));
  if (!std::exchange(writing_, true)) os::start(executor_, write_all());
}

os::Awaitable<void> JournalKeeper::write_all() {
  while (!queue_.empty()) {
    co_await write_batch();
    if (dropped_ == 0 || queue_.size() >= queue_max) continue;
    queue_.push_back(
        journal::Entry{hooks_.wall(), hooks_.now(), journal::Dropped{std::exchange(dropped_, 0)}});
  }
  writing_ = false;
}

os::Awaitable<void> JournalKeeper::write_batch() {
  std::vector<Pending> batch;
  while (!queue_.empty() && batch.size() < batch_max) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  const auto number = static_cast<std::int64_t>(batch.size());
  auto work = [batch = std::move(batch), file = file_, member = options_.member] {
    return write(batch, file, member);
  };
  const auto limit = os::Limit{}.within(write_time_max);
  auto written = co_await os::on_disk(disk_, limit, std::move(work));
  if (!written) dropped_ += number;
  heed(std::move(written));
}

// On a thread of the pool: turning an observation into text takes longer than a step of the loop.
JournalKeeper::Written JournalKeeper::write(const std::vector<Pending>& batch,
                                            const std::shared_ptr<journal::File>& file,
                                            const MemberName& member) {
  Written written;
  std::vector<journal::Entry> entries;
  for (const auto& pending : batch) {
    const auto* record = std::get_if<std::shared_ptr<const DecisionRecord>>(&pending);
    entries.push_back(record != nullptr ? journal::entry_of(**record)
                                        : std::get<journal::Entry>(pending));
    written.lines.push_back(journal::line_of(entries.back(), member));
  }
  if (!file) return written;
  const auto appended = file->append(entries);
  if (!appended) written.error = appended.error();
  return written;
}

void JournalKeeper::heed(Result<Written> written) {
  const auto* error = !written ? &written.error() : written->error ? &*written->error : nullptr;
  if (error != nullptr && !std::exchange(complained_, true)) log_warning("{}", error->message);
  if (error == nullptr) complained_ = false;
  if (!written) {
    // A thread may still hang in the old one.
    if (file_) file_ = std::make_shared<journal::File>(options_);
    return;
  }
  take_lines(std::move(written->lines));
}

// ---- The digest ------------------------------------------------------------------------------

void JournalKeeper::take_lines(std::vector<journal::StoryLine> lines) {
  const bool matters = std::ranges::any_of(
      lines, [](const auto& line) { return line.reign.has_value() || line.is_routed; });
  for (auto& line : lines) story_.push_back(std::move(line));
  if (story_.size() > story_max) story_.erase(story_.begin(), story_.end() - story_max / 2);
  if (!matters) return;
  const auto incidents = journal::incidents_in({{options_.member, story_}});
  if (incidents.empty() || !incidents.back().writable) return;
  const auto& last = incidents.back();
  const bool is_told = told_ && told_->reign == last.reign;
  // Once more when it is known how long the load balancers took.
  if (is_told && (told_->phases.routing || !last.phases.routing)) return;
  told_ = last;
  hooks_.tell(last);
}

// ---- Reading ---------------------------------------------------------------------------------

os::Awaitable<Result<std::string>> JournalKeeper::read(WallTime since, std::size_t bytes_max) {
  auto work = [directory = options_.directory, since, bytes_max] {
    return journal::newest_lines(directory, since, bytes_max);
  };
  const auto limit = os::Limit{}.within(write_time_max);
  co_return co_await os::on_disk(disk_, limit, std::move(work));
}

}  // namespace tanist::agent
