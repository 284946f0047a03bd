// SPDX-License-Identifier: Apache-2.0
// Asking pg_waldump.
#include "postgres/wal_location.h"

#include <sys/stat.h>

#include "base/format.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "postgres/control_file.h"
#include "postgres/programs.h"
#include "postgres/timeline_history.h"
#include "postgres/wal_inspection.h"

namespace tanist::postgres {

namespace {

constexpr Duration whole_wal_time_max = seconds{60};

// pg_waldump from `start` on; with `count` 0 quietly to the end of WAL.
os::Awaitable<Result<os::ProcessEnd>> dump_wal(Job job, Timeline timeline, Lsn start, int count) {
  ToolRun run{.name = "pg_waldump",
              .arguments = {"-t", std::to_string(timeline.value()), "-s", to_text(start)},
              .environment = {"PGDATA=" + job.paths.data}};
  if (count > 0) {
    run.arguments.insert(run.arguments.end(), {"-n", std::to_string(count)});
  } else {
    run.arguments.emplace_back("-q");
    run.time_max = whole_wal_time_max;
  }
  run.arguments.insert(run.arguments.end(), {"-p", job.paths.in_data("pg_wal")});
  co_return co_await run_tool(job, std::move(run));
}

os::Awaitable<std::optional<WalRecord>> record_at(Job job, Timeline timeline, Lsn position) {
  const auto end = co_await dump_wal(job, timeline, position, 1);
  if (!end) co_return std::nullopt;
  const auto records = parse_wal_records(end->output);
  if (records.size() != 1 || records[0].lsn != position) co_return std::nullopt;
  co_return records[0];
}

}  // namespace

namespace {

// A segment switch ends its segment, and what follows begins behind the long header of the next. By
// this most shutdowns spare a run of pg_waldump.
bool may_follow_segment_switch(Lsn position) {
  constexpr std::uint64_t smallest_segment = std::uint64_t{1} << 20;
  constexpr std::uint64_t long_header = 40;
  return position.value() % smallest_segment == long_header;
}

// Where the checkpoint record ends, and the record itself: one run, for the handing over of the
// lock waits for it.
struct CheckpointFound {
  std::optional<WalRecord> record;
  Lsn end;
};

os::Awaitable<CheckpointFound> find_checkpoint(Job job, ControlData control) {
  constexpr int checkpoint_and_next = 2;
  CheckpointFound found;
  const auto end =
      co_await dump_wal(job, control.checkpoint_timeline, control.checkpoint, checkpoint_and_next);
  if (!end) co_return found;
  const auto records = parse_wal_records(end->output);
  if (!records.empty() && records[0].lsn == control.checkpoint) found.record = records[0];
  found.end = checkpoint_end(control.checkpoint, end->output, end->errors);
  if (found.end == Lsn()) {
    log_info("pg_waldump from {}: output \"{}\", errors \"{}\"", to_text(control.checkpoint),
             end->output, end->errors);
  }
  co_return found;
}

}  // namespace

os::Awaitable<ServerResult> locate_shutdown(Job job) {
  const auto control = co_await read_control(job);
  if (!control) co_return failed(control.error());
  if (control->state != ControlState::shut_down) {
    co_return failed(format_text("pg_control says \"{}\"", name_of(control->state)));
  }
  auto result = succeeded();
  result.shutdown_checkpoint = control->checkpoint;
  result.shutdown_previous = control->checkpoint;
  result.shutdown_timeline = control->checkpoint_timeline;
  const auto checkpoint = co_await find_checkpoint(job, *control);
  result.shutdown_end = checkpoint.end;
  const bool looks = checkpoint.record && checkpoint.record->is_shutdown_checkpoint() &&
                     may_follow_segment_switch(control->checkpoint);
  if (!looks) co_return result;
  const auto before = checkpoint.record->previous;
  const auto previous = co_await record_at(job, control->checkpoint_timeline, before);
  if (previous && previous->is_segment_switch()) result.shutdown_previous = previous->lsn;
  co_return result;
}

os::Awaitable<Lsn> end_of_checkpoint(Job job, ControlData control) {
  const auto found = co_await find_checkpoint(job, std::move(control));
  co_return found.end;
}

// ---- The end of WAL --------------------------------------------------------------------------

namespace {

// Is there WAL of a later timeline? Then the one of pg_control is not the whole story. Blocking.
bool has_later_timeline(const std::string& wal_folder, Timeline timeline) {
  const auto prefix = format_text("{:08X}", timeline.value());
  const auto names = os::list_folder(wal_folder);
  for (const auto& name : names ? *names : std::vector<std::string>{}) {
    const bool is_wal = name.size() >= 24 || name.ends_with(".history");
    if (is_wal && name.find_first_not_of("0123456789ABCDEF") >= 8 && name.substr(0, 8) > prefix) {
      return true;
    }
  }
  return false;
}

// The position at which pg_waldump stopped. A page instead of a record counts with its begin, which
// is never below the end of what precedes it. Blocking.
std::optional<Lsn> position_of(const WalReadingEnd& end, const std::string& wal_folder) {
  if (end.position) return end.position;
  struct stat status{};
  if (stat((wal_folder + "/" + end.segment).c_str(), &status) != 0) return std::nullopt;
  const auto start = segment_start(end.segment, static_cast<std::uint64_t>(status.st_size));
  if (!start) return std::nullopt;
  return Lsn(start->value() + end.offset);
}

}  // namespace

os::Awaitable<ServerResult> locate_wal_end(Job job) {
  if (job.server->runs()) co_return failed("the server is running");
  const auto control = co_await read_control(job);
  if (!control) co_return failed(control.error());
  const auto wal_folder = job.paths.in_data("pg_wal");
  auto look = [wal_folder, timeline = control->checkpoint_timeline] {
    return has_later_timeline(wal_folder, timeline);
  };
  const auto later = co_await job.on_disk(std::move(look));
  if (!later) co_return failed(later.error());
  if (*later) co_return failed("pg_wal has WAL of a timeline that pg_control does not know yet");
  auto dumped = co_await dump_wal(job, control->checkpoint_timeline, control->checkpoint, 0);
  if (!dumped) co_return failed(dumped.error());
  const auto ends = parse_wal_reading_ends(dumped->errors);
  if (ends.size() != 1) co_return failed(failure_of("pg_waldump", *dumped));
  auto find = [end = ends[0], wal_folder] { return position_of(end, wal_folder); };
  const auto position = co_await job.on_disk(std::move(find));
  if (!position) co_return failed(position.error());
  if (!*position) co_return failed("pg_waldump ended at an unknown position: " + ends[0].reason);
  auto result = succeeded();
  result.wal_end = **position;
  co_return result;
}

// ---- History ---------------------------------------------------------------------------------

namespace {

struct HistoryFile {
  std::string content;
  WallTime modified_at;
};

Result<HistoryFile> read_history_file(const std::string& path) {
  auto content = os::read_file(path);
  if (!content) return pass_on(content.error());
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return fail(Errc::not_found, "there is no {}", path);
  return HistoryFile{std::move(*content),
                     WallTime(seconds(status.st_mtim.tv_sec) +
                              std::chrono::microseconds(status.st_mtim.tv_nsec / 1000))};
}

}  // namespace

os::Awaitable<ServerResult> read_history(Job job, ReadHistory wanted) {
  const auto path = job.paths.in_data("pg_wal/" + history_file_name(wanted.timeline));
  auto read = [path] { return read_history_file(path); };
  const auto file = co_await job.on_disk(std::move(read));
  if (!file) co_return failed(file.error());
  auto result = succeeded();
  result.history = parse_history(file->content);
  if (!result.history.empty()) {
    result.history.back().timestamp =
        to_iso8601(file->modified_at, os::zone_offset(file->modified_at));
  }
  co_return result;
}

}  // namespace tanist::postgres
