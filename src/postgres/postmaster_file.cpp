// SPDX-License-Identifier: Apache-2.0
// Reading postmaster.pid and looking at the process behind it.
#include "postgres/postmaster_file.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>

#include "os/file.h"
#include "os/proc.h"
#include "postgres/parameter_value.h"
#include "postgres/paths.h"

namespace tanist::postgres {

namespace {

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

}  // namespace

Result<PostmasterFile> parse_postmaster_file(std::string_view content) {
  std::array<std::string_view, 8> lines{};
  for (auto& line : lines) {
    const auto end = std::min(content.find('\n'), content.size());
    line = without_spaces_around(content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  PostmasterFile file;
  if (!read_number(lines[0], file.pid) || file.process() <= 1) {
    return fail(Errc::invalid, "postmaster.pid names no process");
  }
  read_number(lines[2], file.started);
  read_number(lines[3], file.port);
  file.socket_folder = lines[4];
  file.listen_host = lines[5];
  file.status = lines[7];
  return file;
}

bool is_postmaster(const PostmasterFile& file, const PostmasterEvidence& evidence,
                   std::string_view program) {
  constexpr std::int64_t clock_tolerance = 3;
  if (evidence.is_relative) return false;
  if (evidence.executable && *evidence.executable != program &&
      *evidence.executable != "postgres" && *evidence.executable != "postmaster") {
    return false;
  }
  if (evidence.works_in_data) return *evidence.works_in_data;
  return evidence.started && std::llabs(*evidence.started - file.started) <= clock_tolerance;
}

namespace {

PostmasterEvidence look_at(const os::Process& process, const std::string& data_directory) {
  const auto pid = process.identity().pid;
  PostmasterEvidence evidence;
  evidence.is_relative = pid == getpid() || pid == getppid();
  if (const auto executable = os::executable_of(pid)) {
    evidence.executable = file_name_of(*executable);
  }
  if (const auto there = os::works_in(pid, data_directory)) evidence.works_in_data = *there;
  if (const auto started = os::started_at(process.identity().start_ticks)) {
    evidence.started = std::chrono::floor<seconds>(*started).time_since_epoch().count();
  }
  return evidence;
}

}  // namespace

Result<FoundPostmaster> find_postmaster(const std::string& data_directory,
                                        const std::string& program, std::int64_t* foreign) {
  const auto content = os::read_file(data_directory + "/postmaster.pid", 4096);
  if (!content) return pass_on(content.error());
  const auto file = parse_postmaster_file(*content);
  if (!file) return pass_on(file.error());
  auto process = os::adopt_process(file->process());
  if (!process) return pass_on(process.error());
  const auto evidence = look_at(**process, data_directory);
  // Looked at after the pidfd was opened: still the same process.
  if (!(*process)->alive()) return fail(Errc::not_found, "the postmaster has ended");
  if (!is_postmaster(*file, evidence, file_name_of(program))) {
    if (foreign != nullptr) *foreign = file->process();
    return fail(Errc::refused, "{}/postmaster.pid names process {}, which is another program",
                data_directory, file->process());
  }
  return FoundPostmaster{std::move(*process), *file};
}

}  // namespace tanist::postgres
