// SPDX-License-Identifier: Apache-2.0
// Reading /proc.
#include "os/proc.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <optional>

#include "os/file.h"

namespace tanist::os {

namespace {

std::string proc_path(std::int64_t pid, std::string_view entry) {
  return fmt::format("/proc/{}/{}", pid, entry);
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const auto start = text.find_first_not_of(" \n");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    found.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return found;
}

Result<std::string> link_target(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const auto length = readlink(path.c_str(), target.data(), target.size());
  if (length < 0) {
    return fail(errno == ENOENT || errno == ESRCH ? Errc::not_found : Errc::failed,
                "cannot read {}: {}", path, std::strerror(errno));
  }
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace

Result<ProcessStat> parse_process_stat(std::string_view text) {
  constexpr std::size_t fields_after_name = 20;  // up to the start time
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return fail(Errc::invalid, "not the text of /proc/PID/stat");
  }
  const auto rest = words(text.substr(close + 1));
  const auto pid = number<std::int64_t>(text.substr(0, text.find(' ')));
  if (!pid || rest.size() < fields_after_name) {
    return fail(Errc::invalid, "not the text of /proc/PID/stat");
  }
  const auto parent = number<std::int64_t>(rest[1]);
  const auto session = number<std::int64_t>(rest[3]);
  const auto start = number<std::uint64_t>(rest[19]);
  if (!parent || !session || !start) return fail(Errc::invalid, "not the text of /proc/PID/stat");
  return ProcessStat{{*pid, *start},
                     *parent,
                     *session,
                     rest[0].front(),
                     std::string(text.substr(open + 1, close - open - 1))};
}

Result<ProcessStat> read_process(std::int64_t pid) {
  const auto text = read_file(proc_path(pid, "stat"), 4096);
  if (!text) return fail(Errc::not_found, "there is no process {}", pid);
  return parse_process_stat(*text);
}

std::vector<ProcessStat> all_processes() {
  std::vector<ProcessStat> found;
  const auto names = list_folder("/proc");
  for (const auto& name : names ? *names : std::vector<std::string>{}) {
    const auto pid = number<std::int64_t>(name);
    if (!pid) continue;
    if (auto process = read_process(*pid)) found.push_back(std::move(*process));
  }
  return found;
}

std::vector<ProcessStat> children_of(std::int64_t pid) {
  auto found = all_processes();
  std::erase_if(found, [&](const ProcessStat& process) {
    return process.parent != pid || process.state == 'Z';
  });
  return found;
}

Result<std::string> executable_of(std::int64_t pid) {
  auto target = link_target(proc_path(pid, "exe"));
  constexpr std::string_view deleted = " (deleted)";
  if (target && target->ends_with(deleted)) target->resize(target->size() - deleted.size());
  return target;
}

Result<std::string> folder_of_process(std::int64_t pid) {
  return link_target(proc_path(pid, "cwd"));
}

Result<bool> works_in(std::int64_t pid, const std::string& folder) {
  struct stat theirs{};
  struct stat wanted{};
  if (stat(proc_path(pid, "cwd").c_str(), &theirs) != 0) {
    return fail(Errc::failed, "cannot see the working folder of process {}: {}", pid,
                std::strerror(errno));
  }
  if (stat(folder.c_str(), &wanted) != 0) {
    return fail(Errc::failed, "cannot see {}: {}", folder, std::strerror(errno));
  }
  return theirs.st_dev == wanted.st_dev && theirs.st_ino == wanted.st_ino;
}

Result<std::string> title_of(std::int64_t pid) {
  auto text = read_file(proc_path(pid, "cmdline"), 1 << 20);
  if (!text) return text;
  std::ranges::replace(*text, '\0', ' ');
  text->resize(text->find_last_not_of(' ') + 1);
  return text;
}

Result<uid_t> user_of(std::int64_t pid) {
  struct stat status{};
  if (stat(fmt::format("/proc/{}", pid).c_str(), &status) != 0) {
    return fail(Errc::not_found, "there is no process {}", pid);
  }
  return status.st_uid;
}

Result<WallTime> started_at(std::uint64_t start_ticks) {
  const auto text = read_file("/proc/stat");
  if (!text) return pass_on(text.error());
  constexpr std::string_view label = "\nbtime ";
  const auto at = text->find(label);
  if (at == std::string::npos) return fail(Errc::invalid, "/proc/stat tells no boot time");
  const auto line = std::string_view(*text).substr(at + label.size());
  const auto boot = number<std::int64_t>(line.substr(0, line.find('\n')));
  const auto ticks_per_second = sysconf(_SC_CLK_TCK);
  if (!boot || ticks_per_second <= 0) return fail(Errc::invalid, "/proc/stat tells no boot time");
  const auto since_boot = start_ticks / static_cast<std::uint64_t>(ticks_per_second);
  return WallTime(seconds(*boot + static_cast<std::int64_t>(since_boot)));
}

Result<std::vector<OpenDescriptor>> open_descriptors(std::int64_t pid) {
  const auto folder = proc_path(pid, "fd");
  const auto names = list_folder(folder);
  if (!names) return pass_on(names.error());
  std::vector<OpenDescriptor> found;
  for (const auto& name : *names) {
    auto target = link_target(folder + "/" + name);
    if (target) found.push_back({number<int>(name).value_or(-1), std::move(*target)});
  }
  return found;
}

}  // namespace tanist::os
