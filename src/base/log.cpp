// SPDX-License-Identifier: Apache-2.0
// The log's queue and thread. Any thread may log; only the log's own writes.
#include "base/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/log_format.h"
#include "base/log_record.h"
#include "base/log_sink.h"

namespace tanist {

namespace {

constexpr std::size_t text_bytes_max = 64 * 1024;
constexpr std::int64_t queue_records_limit = 1'000'000;  // for settings that mean "no bound"

constexpr int nothing_is_configured = 100;  // above every level
std::atomic<int> threshold{nothing_is_configured};
std::atomic<int> file_descriptor{-1};

// ---- Heartbeats (contract config 4.2) -------------------------------------------------------

bool names_lock_owner(const LogRecord& record) { return record.text.starts_with("Lock owner: "); }

bool is_heartbeat(const LogRecord& record) {
  return record.text.starts_with("no action. ") || record.text.starts_with("PAUSE: no action");
}

// Decides which records are written at all. Under the queue's lock.
class HeartbeatFilter {
 public:
  void configure(bool holds_lock_owner, bool drops_repeated) {
    holds_lock_owner_ = holds_lock_owner;
    drops_repeated_ = drops_repeated;
  }

  // The records to write now, in order.
  std::vector<LogRecord> pass(LogRecord record) {
    std::vector<LogRecord> out;
    const auto thread = record.thread;
    auto held = held_.extract(thread);
    if (!held.empty() && !is_heartbeat(record)) out.push_back(std::move(held.mapped()));
    if (holds_lock_owner_ && names_lock_owner(record)) {
      held_.emplace(thread, std::move(record));
    } else if (!is_repeated(record)) {
      out.push_back(std::move(record));
    }
    for (const auto& one : out) remember(one);
    return out;
  }

  std::vector<LogRecord> release() {
    std::vector<LogRecord> out;
    for (auto& [thread, record] : held_) out.push_back(std::move(record));
    held_.clear();
    return out;
  }

 private:
  bool is_repeated(const LogRecord& record) const {
    const auto last = last_heartbeat_.find(record.thread);
    return drops_repeated_ && last != last_heartbeat_.end() && last->second == record.text;
  }

  void remember(const LogRecord& record) {
    last_heartbeat_.erase(record.thread);
    if (is_heartbeat(record)) last_heartbeat_[record.thread] = record.text;
  }

  bool holds_lock_owner_ = false;
  bool drops_repeated_ = false;
  std::map<std::int64_t, LogRecord> held_;              // by thread
  std::map<std::int64_t, std::string> last_heartbeat_;  // by thread
};

// ---- The queue and its thread ---------------------------------------------------------------

class Logger {
 public:
  // Never destroyed: the thread may be stuck in a full pipe when the process ends.
  static Logger& instance() {
    static auto* logger = new Logger;
    return *logger;
  }

  void configure(const LogSettings& settings, LogClock clock);
  void push(LogRecord record);
  bool flush(Duration limit);
  LogQueue counts();
  WallTime now() const { return clock_.load()(); }

 private:
  // What the thread needs to know; replaced whole.
  struct Target {
    LogSettings settings;
    std::unique_ptr<LogFormat> format;
    bool is_new = true;
  };

  struct Queued {
    LogRecord record;
    std::uint64_t number = 0;
  };

  void enqueue(LogRecord record);
  [[noreturn]] void run();
  void use(const std::shared_ptr<Target>& target);
  void write(const Target& target, const LogRecord& record);
  LogRecord own_record(LogLevel level, std::string text) const;

  std::atomic<LogClock> clock_{nullptr};
  WallTime started_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable written_;
  std::deque<Queued> queue_;
  HeartbeatFilter filter_;
  std::shared_ptr<Target> target_;
  std::size_t records_max_ = 1000;
  std::uint64_t last_number_ = 0;
  std::uint64_t written_number_ = 0;
  std::int64_t lost_ = 0;
  std::int64_t lost_reported_ = 0;
  LogSink sink_;  // the log's thread only
};

struct ThreadIdentity {
  std::int64_t number;
  std::string name;
};

const ThreadIdentity& this_thread() {
  thread_local const ThreadIdentity identity = [] {
    const auto number = static_cast<std::int64_t>(syscall(SYS_gettid));
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return ThreadIdentity{number, number == getpid() ? "MainThread" : name.data()};
  }();
  return identity;
}

// All our records come from one logger; `patroni` stands for it in files written for Patroni.
LogLevel effective_level(const LogSettings& settings, std::vector<std::string>& warnings) {
  const auto root = parse_log_level(settings.level);
  if (!root) {
    warnings.push_back(fmt::format("log.level: \"{}\" is no level; INFO is used", settings.level));
  }
  for (const auto* name : {"tanist", "patroni"}) {
    const auto at = settings.loggers.find(name);
    if (at == settings.loggers.end()) continue;
    if (const auto own = parse_log_level(at->second)) return *own;
    warnings.push_back(fmt::format("log.loggers.{}: \"{}\" is no level", name, at->second));
  }
  return root.value_or(LogLevel::info);
}

void Logger::configure(const LogSettings& settings, LogClock clock) {
  std::vector<std::string> warnings;
  const auto level = effective_level(settings, warnings);
  clock_ = clock;
  {
    const std::lock_guard lock(mutex_);
    const bool is_first = target_ == nullptr;
    if (is_first) started_ = clock();
    auto target = std::make_shared<Target>();
    target->settings = settings;
    target->format = std::make_unique<LogFormat>(settings, started_, warnings);
    target_ = std::move(target);
    const auto wanted =
        settings.queue_records_max > 0 ? settings.queue_records_max : queue_records_limit;
    records_max_ = static_cast<std::size_t>(std::min(wanted, queue_records_limit));
    const bool root_is_info =
        parse_log_level(settings.level).value_or(LogLevel::info) == LogLevel::info;
    filter_.configure(root_is_info, settings.deduplicate_heartbeat);
    threshold = static_cast<int>(level);
    if (is_first) {
      sigset_t all;
      sigset_t before;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);  // signals belong to the program's own threads
      std::thread([this] { run(); }).detach();
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
  }
  changed_.notify_one();
  for (auto& warning : warnings) push(own_record(LogLevel::warning, std::move(warning)));
}

LogRecord Logger::own_record(LogLevel level, std::string text) const {
  const auto& thread = this_thread();
  return {level,         std::move(text), now(),
          thread.number, thread.name,     std::source_location::current()};
}

void Logger::push(LogRecord record) {
  {
    const std::lock_guard lock(mutex_);
    for (auto& one : filter_.pass(std::move(record))) enqueue(std::move(one));
  }
  changed_.notify_one();
}

void Logger::enqueue(LogRecord record) {
  while (queue_.size() >= records_max_) {
    queue_.pop_front();
    ++lost_;
  }
  queue_.push_back({std::move(record), ++last_number_});
}

bool Logger::flush(Duration limit) {
  std::unique_lock lock(mutex_);
  if (target_ == nullptr) return true;
  for (auto& one : filter_.release()) enqueue(std::move(one));
  const auto last = last_number_;
  changed_.notify_one();
  return written_.wait_for(lock, limit, [&] { return written_number_ >= last; });
}

LogQueue Logger::counts() {
  const std::lock_guard lock(mutex_);
  return {static_cast<std::int64_t>(queue_.size()), lost_};
}

void Logger::use(const std::shared_ptr<Target>& target) {
  if (!target->is_new) return;
  target->is_new = false;
  file_descriptor = -1;
  const auto problem = sink_.open(target->settings);
  file_descriptor = sink_.descriptor();
  if (!problem.empty()) write(*target, own_record(LogLevel::warning, problem));
}

void Logger::write(const Target& target, const LogRecord& record) {
  sink_.write(target.format->line(record));
  file_descriptor = sink_.descriptor();  // rotation opens another
}

void Logger::run() {
  pthread_setname_np(pthread_self(), "log");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !queue_.empty() || target_->is_new; });
    const auto target = target_;
    std::optional<Queued> next;
    if (!queue_.empty()) {
      next = std::move(queue_.front());
      queue_.pop_front();
    }
    const auto lost = lost_ - lost_reported_;
    lost_reported_ = lost_;
    lock.unlock();
    use(target);
    if (lost > 0) {
      write(*target, own_record(LogLevel::warning,
                                fmt::format("QueueHandler has lost {} log records", lost)));
    }
    if (next) write(*target, next->record);
    lock.lock();
    if (next) written_number_ = next->number;
    written_.notify_all();
  }
}

// Only as much as fits without waiting.
void write_if_ready(int descriptor, std::string_view text) noexcept {
  pollfd ready{descriptor, POLLOUT, 0};
  if (poll(&ready, 1, 0) <= 0 || (ready.revents & POLLOUT) == 0) return;
  static_cast<void>(!::write(descriptor, text.data(), text.size()));
}

}  // namespace

void configure_log(const LogSettings& settings, LogClock clock) {
  Logger::instance().configure(settings, clock);
}

bool log_enabled(LogLevel level) {
  const int limit = threshold.load(std::memory_order_relaxed);
  if (limit == nothing_is_configured) return level >= LogLevel::warning;
  return static_cast<int>(level) >= limit;
}

void log(LogLevel level, std::string text, const std::source_location& where) {
  if (!log_enabled(level)) return;
  if (text.size() > text_bytes_max) {
    text.resize(text_bytes_max);
    text += "...";
  }
  if (threshold.load(std::memory_order_relaxed) == nothing_is_configured) {
    write_line(STDERR_FILENO, text + "\n");
    return;
  }
  auto& logger = Logger::instance();
  const auto& thread = this_thread();
  logger.push({level, std::move(text), logger.now(), thread.number, thread.name, where});
}

bool flush_log(Duration limit) { return Logger::instance().flush(limit); }

LogQueue log_queue() { return Logger::instance().counts(); }

void log_last_words(std::string_view text) noexcept {
  std::array<char, 1024> line{};
  const auto length = std::min(text.size(), line.size() - 1);
  std::memcpy(line.data(), text.data(), length);
  line[length] = '\n';
  const std::string_view whole(line.data(), length + 1);
  write_if_ready(STDERR_FILENO, whole);
  const int file = file_descriptor.load();
  if (file >= 0) write_if_ready(file, whole);
}

}  // namespace tanist
