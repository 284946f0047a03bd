// SPDX-License-Identifier: Apache-2.0
// Segments to and from the archive.
#include "postgres/archive.h"

#include <algorithm>
#include <filesystem>

#include "base/format.h"
#include "base/log.h"
#include "os/file.h"
#include "postgres/control_file.h"
#include "postgres/programs.h"
#include "postgres/tool_options.h"

namespace tanist::postgres {

namespace {

constexpr std::size_t segment_name_length = 24;
constexpr std::string_view ready = ".ready";

bool is_segment_name(std::string_view name) {
  return name.size() == segment_name_length &&
         name.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

}  // namespace

// ---- Texts -----------------------------------------------------------------------------------

std::string expand_wal_command(std::string_view command, std::string_view path,
                               std::string_view file) {
  std::string expanded;
  for (std::size_t at = 0; at < command.size(); ++at) {
    const char next = at + 1 < command.size() ? command[at + 1] : '\0';
    const bool known =
        command[at] == '%' && (next == 'p' || next == 'f' || next == 'r' || next == '%');
    if (!known) {
      expanded += command[at];
      continue;
    }
    ++at;
    if (next == 'p') expanded += path;
    if (next == 'f') expanded += file;
    if (next == 'r') expanded += "000000010000000000000001";
    if (next == '%') expanded += '%';
  }
  return expanded;
}

std::vector<std::string> segments_waiting(std::vector<std::string> names) {
  std::vector<std::string> segments;
  for (const auto& name : names) {
    if (!name.ends_with(ready)) continue;
    const auto file = std::string_view(name).substr(0, name.size() - ready.size());
    const bool partial =
        file.size() > segment_name_length && file.substr(segment_name_length) == ".partial";
    if (is_segment_name(partial ? file.substr(0, segment_name_length) : file)) {
      segments.emplace_back(file);
    }
  }
  std::ranges::sort(segments);
  return segments;
}

std::optional<std::string> missing_segment(std::string_view output) {
  constexpr std::string_view before = "could not open file \"";
  constexpr std::string_view folder = "/pg_wal/";
  for (auto at = output.find(before); at != std::string_view::npos;
       at = output.find(before, at + 1)) {
    const auto rest = output.substr(at + before.size());
    const auto path = rest.substr(0, std::min(rest.find('"'), rest.size()));
    const auto name_at = path.rfind(folder);
    if (name_at == std::string_view::npos) continue;
    const auto name = path.substr(name_at + folder.size());
    if (is_segment_name(name)) return std::string(name);
  }
  return std::nullopt;
}

// ---- To the archive --------------------------------------------------------------------------

namespace {

os::Awaitable<Result<os::ProcessEnd>> run_in_data(Job job, std::vector<std::string> arguments) {
  os::SpawnRequest request;
  request.arguments = std::move(arguments);
  request.environment = environment_for_server(0);
  request.working_folder = job.paths.data;
  const auto limit = job.limit();
  co_return co_await os::run_process(job.server->disk, std::move(request), limit);
}

// Empty when the server does not archive.
os::Awaitable<Result<std::string>> archive_command(Job job) {
  const auto mode = co_await configured_value(job, "archive_mode");
  if (!mode) co_return pass_on(mode.error());
  if (*mode != "on" && *mode != "always") co_return std::string();
  co_return co_await configured_value(job, "archive_command");
}

Result<void> note_archived(const std::string& status_file) {
  std::error_code code;
  const auto target = status_file.substr(0, status_file.size() - ready.size()) + ".done";
  std::filesystem::rename(status_file, target, code);
  if (code) return fail(Errc::failed, "cannot rename {}: {}", status_file, code.message());
  return {};
}

os::Awaitable<Result<void>> archive_segment(Job job, std::string command, std::string segment) {
  const auto path = job.paths.in_data("pg_wal/" + segment);
  std::vector<std::string> shell{"/bin/sh", "-c", expand_wal_command(command, path, segment)};
  const auto end = co_await run_in_data(job, std::move(shell));
  if (!end) co_return pass_on(end.error());
  if (!end->succeeded()) co_return tl::unexpected(failure_of("archive_command", *end));
  auto note = [file = job.paths.in_data("pg_wal/archive_status/" + segment + std::string(ready))] {
    return note_archived(file);
  };
  co_return co_await job.on_disk(std::move(note));
}

// Waiting segments that exist.
std::vector<std::string> present_segments(const std::string& wal_folder) {
  const auto names = os::list_folder(wal_folder + "/archive_status");
  auto segments = segments_waiting(names.value_or(std::vector<std::string>{}));
  std::erase_if(segments, [&](const std::string& segment) {
    return !os::exists(wal_folder + "/" + segment);
  });
  return segments;
}

}  // namespace

os::Awaitable<void> archive_waiting_segments(Job job) {
  auto list = [folder = job.paths.in_data("pg_wal")] { return present_segments(folder); };
  const auto segments = co_await job.on_disk(std::move(list));
  if (!segments || segments->empty()) co_return;
  const auto command = co_await archive_command(job);
  if (!command)
    log_error("{} segments are not archived: {}", segments->size(), command.error().message);
  if (!command || command->empty()) co_return;
  for (const auto& segment : *segments) {
    if (job.stopped()) co_return;
    const auto archived = co_await archive_segment(job, *command, segment);
    if (archived) {
      log_info("archived {}", segment);
    } else {
      log_error("{} was not archived: {}", segment, archived.error().message);
    }
  }
}

os::Awaitable<ServerResult> archive_end(Job job) {
  const auto command = co_await archive_command(job);
  if (!command) {
    log_error("the latest checkpoint is not archived: {}", command.error().message);
    co_return succeeded();
  }
  if (command->empty()) {
    log_info("Not archiving latest checkpoint WAL file. Archiving is not configured.");
    co_return succeeded();
  }
  const auto control = co_await read_control(job);
  if (!control || !is_segment_name(control->redo_wal_file)) {
    log_error("the latest checkpoint is not archived: pg_control does not tell its WAL file");
    co_return succeeded();
  }
  const auto& segment = control->redo_wal_file;
  const auto path = job.paths.in_data("pg_wal/" + segment);
  std::vector<std::string> shell{"/bin/sh", "-c", expand_wal_command(*command, path, segment)};
  const auto end = co_await run_in_data(job, std::move(shell));
  if (end && end->succeeded()) {
    log_info("archived {} with the latest checkpoint", segment);
  } else {
    log_error("{} was not archived: {}", segment,
              end ? failure_of("archive_command", *end).message : end.error().message);
  }
  co_return succeeded();
}

// ---- From the archive ------------------------------------------------------------------------

os::Awaitable<Result<void>> restore_segment(Job job, std::string restore_command,
                                            std::string segment) {
  const auto path = job.paths.in_data("pg_wal/" + segment);
  auto words = split_command(restore_command);
  if (!words) co_return pass_on(words.error(), "restore_command");
  for (auto& word : *words) word = expand_wal_command(word, path, segment);
  const auto end = co_await run_in_data(job, std::move(*words));
  if (!end) co_return pass_on(end.error());
  if (!end->succeeded()) co_return tl::unexpected(failure_of("restore_command", *end));
  co_return Result<void>{};
}

}  // namespace tanist::postgres
