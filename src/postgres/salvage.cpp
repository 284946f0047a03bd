// SPDX-License-Identifier: Apache-2.0
// Finding, describing and keeping the tail.
#include "postgres/salvage.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/format.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "postgres/control_file.h"
#include "postgres/data_directory.h"
#include "postgres/parameter_value.h"
#include "postgres/programs.h"
#include "postgres/sessions.h"
#include "postgres/timeline_history.h"
#include "postgres/wal_inspection.h"
#include "sql/replication.h"

namespace tanist::postgres {

namespace fs = std::filesystem;

// ---- Pure ------------------------------------------------------------------------------------

namespace {

constexpr std::uint64_t open_end = UINT64_MAX;

std::vector<HistoryLine> stretches_of(const TimelinePath& path) {
  auto stretches = path.history;
  HistoryLine last;
  last.timeline = path.timeline;
  last.switch_lsn = path.position == Lsn() ? Lsn(open_end) : path.position;
  stretches.push_back(std::move(last));
  return stretches;
}

}  // namespace

std::optional<Lsn> fork_of(const TimelinePath& local, const TimelinePath& leader) {
  const auto ours = stretches_of(local);
  const auto theirs = stretches_of(leader);
  std::optional<Lsn> fork;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    if (ours[i].timeline != theirs[i].timeline) break;
    fork = std::min(ours[i].switch_lsn, theirs[i].switch_lsn);
    if (ours[i].switch_lsn != theirs[i].switch_lsn) break;
  }
  return fork;
}

std::uint64_t record_count(std::string_view statistics, std::string_view kind) {
  const auto at = statistics.find(kind);
  if (at == std::string_view::npos) return 0;
  auto rest = statistics.substr(at + kind.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  std::uint64_t count = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), count);
  return count;
}

std::vector<CommitLine> commits_in(std::string_view records) {
  constexpr std::string_view mark = "desc: COMMIT ";
  constexpr std::string_view number = "tx:";
  std::vector<CommitLine> commits;
  while (!records.empty()) {
    const auto end = std::min(records.find('\n'), records.size());
    const auto line = records.substr(0, end);
    records.remove_prefix(std::min(end + 1, records.size()));
    const auto at = line.find(mark);
    const auto tx = line.find(number);
    if (at == std::string_view::npos || tx == std::string_view::npos) continue;
    const auto after = without_spaces_around(line.substr(tx + number.size()));
    const auto time = line.substr(at + mark.size());
    commits.push_back({std::string(after.substr(0, after.find(','))),
                       std::string(without_spaces_around(time.substr(0, time.find(';'))))});
  }
  return commits;
}

// ---- What the tail is ------------------------------------------------------------------------

namespace {

constexpr Duration describe_time_max = std::chrono::minutes(5);
constexpr Duration copy_time_max = std::chrono::minutes(30);

struct Tail {
  Timeline timeline;
  Lsn fork;
  Lsn end;
  std::string statistics;
  std::vector<CommitLine> first_commits;
  std::vector<CommitLine> last_commits;

  std::string name() const {
    auto text = format_text("timeline-{}_{}_{}", timeline.value(), to_text(fork), to_text(end));
    std::ranges::replace(text, '/', '-');
    return text;
  }
};

os::Awaitable<Result<TimelinePath>> path_of_leader(Job job, Upstream source) {
  auto opened = co_await connect(job, upstream_replication_request(*job.settings, source));
  if (!opened) co_return tl::unexpected(opened.error().plain());
  const auto limit = job.within(query_time_max);
  const auto identity = co_await sql::identify_system(*opened, limit);
  if (!identity) co_return tl::unexpected(identity.error().plain());
  TimelinePath path;
  path.timeline = Timeline(identity->timeline);
  path.position = parse_lsn(identity->position).value_or(Lsn());
  if (identity->timeline == 1) co_return path;
  const auto content = co_await sql::timeline_history(*opened, identity->timeline, limit);
  if (!content) co_return tl::unexpected(content.error().plain());
  path.history = parse_history(*content);
  co_return path;
}

os::Awaitable<Result<TimelinePath>> local_path(Job job) {
  const auto control = co_await read_control(job);
  if (!control) co_return pass_on(control.error());
  TimelinePath path;
  path.timeline = std::max(control->checkpoint_timeline, control->min_recovery_timeline);
  auto read = [file = job.paths.in_data("pg_wal/" + history_file_name(path.timeline))] {
    return os::read_file(file).value_or("");
  };
  const auto content = co_await job.on_disk(std::move(read));
  if (content) path.history = parse_history(*content);
  co_return path;
}

os::Awaitable<Result<os::ProcessEnd>> dump(Job job, Tail tail, std::vector<std::string> options) {
  ToolRun run{.name = "pg_waldump",
              .arguments = {"-t", std::to_string(tail.timeline.value()), "-s", to_text(tail.fork),
                            "-p", job.paths.in_data("pg_wal")},
              .time_max = describe_time_max};
  run.arguments.insert(run.arguments.end(), options.begin(), options.end());
  co_return co_await run_tool(job, std::move(run));
}

// Absent when nothing lies beyond the fork.
os::Awaitable<std::optional<Tail>> describe_tail(Job job, Timeline timeline, Lsn fork) {
  Tail tail{.timeline = timeline, .fork = fork};
  std::vector<std::string> count{"--stats=record"};
  const auto counted = co_await dump(job, tail, std::move(count));
  if (!counted) {
    log_warning("salvage: {}", counted.error().message);
    co_return std::nullopt;
  }
  const auto ends = parse_wal_reading_ends(counted->errors);
  if (ends.empty()) co_return std::nullopt;
  tail.end = ends.back().position.value_or(ends.back().last_record);
  tail.statistics = counted->output;
  std::vector<std::string> begin{"-r", "Transaction", "-n", "1000"};
  const auto first = co_await dump(job, tail, std::move(begin));
  if (first) tail.first_commits = commits_in(first->output);
  std::vector<std::string> all{"-r", "Transaction"};
  const auto last = co_await dump(job, tail, std::move(all));
  if (last) tail.last_commits = commits_in(last->output);
  co_return tail;
}

// ---- Keeping it ------------------------------------------------------------------------------

struct Kept {
  std::string folder;
  std::uint64_t bytes = 0;
  std::size_t left_out = 0;
};

std::string salvage_root(const ServerSettings& settings) {
  const auto& chosen = settings.salvage.directory;
  return chosen.empty() ? without_trailing_slash(settings.data_dir) + ".salvage" : chosen;
}

// The segments that hold something between fork and end, oldest first, and history files.
std::vector<fs::path> files_of(const std::string& wal_folder, const Tail& tail) {
  std::vector<fs::path> files;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(wal_folder, code)) {
    const auto name = entry.path().filename().string();
    std::error_code ignored;
    const auto bytes = entry.file_size(ignored);
    const auto start = ignored ? std::nullopt : segment_start(name, bytes);
    const bool holds_some =
        start && start->value() <= tail.end.value() && start->value() + bytes > tail.fork.value();
    if (holds_some || name.ends_with(".history")) files.push_back(entry.path());
  }
  std::ranges::sort(files, {}, [](const fs::path& path) { return path.filename().string(); });
  return files;
}

std::string summary_of(const Tail& tail, const Kept& kept, const std::string& source) {
  std::string text = format_text(
      "WAL that this node had and {} did not have, kept before it was discarded.\n\n"
      "written       {}\ntimeline      {}\nfork          {}\nend           {}\n"
      "bytes of WAL  {}\nkept          {} bytes of segment files{}\n"
      "commits       {}\n",
      source, to_iso8601(os::wall_now(), {}), tail.timeline.value(), to_text(tail.fork),
      to_text(tail.end), tail.end.value() - tail.fork.value(), kept.bytes,
      kept.left_out == 0 ? ""
                         : format_text(" ({} files left out: salvage.max_size)", kept.left_out),
      record_count(tail.statistics, "Transaction/COMMIT"));
  if (!tail.first_commits.empty()) {
    text += format_text("first commit  {}\n", tail.first_commits.front().time);
  }
  if (!tail.last_commits.empty()) {
    text += format_text("last commit   {}\n", tail.last_commits.back().time);
  }
  text += "\nTo look into it: pg_waldump -p THIS_FOLDER -t TIMELINE -s FORK\n";
  text += "\ntransaction   committed (the first ones)\n";
  for (const auto& commit : tail.first_commits) {
    text += format_text("{:<13} {}\n", commit.transaction, commit.time);
  }
  return text + "\n" + tail.statistics;
}

// Older salvages beyond the number to keep go.
void remove_older(const std::string& root, std::int64_t count_max) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(root, code)) {
    std::error_code ignored;
    const bool ours = entry.path().filename().string().starts_with("timeline-");
    if (ours && entry.is_directory(ignored)) {
      found.emplace_back(entry.last_write_time(ignored), entry.path());
    }
  }
  std::ranges::sort(found, std::greater<>{});
  for (auto i = static_cast<std::size_t>(count_max); i < found.size(); ++i) {
    log_info("salvage: removing the older {}", found[i].second.string());
    fs::remove_all(found[i].second, code);
  }
}

// A disk that is nearly full is needed for other things.
Result<void> check_space(const std::string& root, std::uint64_t wanted) {
  std::error_code code;
  const auto space = fs::space(root, code);
  if (!code && space.available < 2 * wanted + 64 * 1024 * 1024) {
    return fail(Errc::refused, "only {} bytes are free in {}", space.available, root);
  }
  return {};
}

Result<Kept> keep(const Paths& paths, const ServerSettings& settings, const Tail& tail,
                  const std::string& source) {
  const auto root = salvage_root(settings);
  if (auto made = os::create_folders(root, 0700); !made) return pass_on(made.error());
  Kept kept{.folder = root + "/" + tail.name()};
  if (os::exists(kept.folder + "/summary.txt")) return kept;  // of an earlier attempt
  const auto files = files_of(paths.in_data("pg_wal"), tail);
  std::uint64_t wanted = 0;
  std::error_code code;
  for (const auto& file : files) wanted += fs::file_size(file, code);
  wanted = std::min(wanted, settings.salvage.bytes_max);
  if (auto fits = check_space(root, wanted); !fits) return pass_on(fits.error());
  if (auto made = os::create_folders(kept.folder, 0700); !made) return pass_on(made.error());
  for (const auto& file : files) {
    const auto bytes = fs::file_size(file, code);
    if (kept.bytes + bytes > settings.salvage.bytes_max) {
      ++kept.left_out;
      continue;
    }
    const auto target = fs::path(kept.folder) / file.filename();
    fs::copy_file(file, target, fs::copy_options::overwrite_existing, code);
    if (code) return fail(Errc::failed, "cannot copy {}: {}", file.string(), code.message());
    kept.bytes += bytes;
  }
  const auto written =
      os::replace_file(kept.folder + "/summary.txt", summary_of(tail, kept, source), 0600);
  if (!written) return pass_on(written.error());
  remove_older(root, settings.salvage.count_max);
  return kept;
}

os::Awaitable<void> keep_tail(Job job, Tail tail, Upstream source) {
  const auto commits = record_count(tail.statistics, "Transaction/COMMIT");
  const auto name = source.is_remote ? source.host : source.member.value();
  log_warning("{} commits between {} and {} of timeline {} are not on {} and will be discarded",
              commits, to_text(tail.fork), to_text(tail.end), tail.timeline.value(), name);
  auto write = [paths = job.paths, settings = job.settings, tail = std::move(tail), name] {
    return keep(paths, *settings, tail, name);
  };
  const auto kept = co_await job.on_disk(std::move(write), copy_time_max);
  if (kept) {
    log_warning("salvage: kept {} bytes of WAL in {}", kept->bytes, kept->folder);
  } else {
    log_error("salvage: nothing is kept: {}", kept.error().message);
  }
}

}  // namespace

os::Awaitable<void> salvage_divergence(Job job, Upstream source) {
  if (job.settings->salvage.bytes_max == 0) co_return;
  auto look = [data = job.paths.data] { return look_at_data(data); };
  const auto data = co_await job.on_disk(std::move(look));
  const bool readable = data && data->kind == DataDirectory::present && data->major_version != 0;
  if (!readable || data->rewind_interrupted) co_return;
  const auto local = co_await local_path(job);
  if (!local) co_return;
  const auto leader = co_await path_of_leader(job, source);
  if (!leader) {
    log_warning("salvage: {}:{} does not tell its timeline: {}", source.host, source.port,
                leader.error().message);
    co_return;
  }
  const auto fork = fork_of(*local, *leader);
  if (!fork || fork->value() == open_end) co_return;
  auto tail = co_await describe_tail(job, local->timeline, *fork);
  if (!tail || tail->end <= tail->fork) co_return;
  co_await keep_tail(job, std::move(*tail), std::move(source));
}

}  // namespace tanist::postgres
