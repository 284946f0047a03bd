// SPDX-License-Identifier: Apache-2.0
// Lines out of pieces, entries out of lines.
#include "journal/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "journal/file.h"
#include "os/descriptor.h"

namespace tanist::journal {

namespace {

constexpr std::size_t piece_bytes = 256 * 1024;

// Takes text piece by piece and hands out lines.
class Lines {
 public:
  explicit Lines(const Visitor& visit) : visit_(visit) {}

  Result<void> take(std::string_view piece) {
    while (!piece.empty()) {
      const auto end = piece.find('\n');
      const auto part = piece.substr(0, end);
      // Of a line that is too long only its end is looked for.
      if (rest_.size() <= line_bytes_max) rest_ += part;
      if (end == std::string_view::npos) return {};
      piece.remove_prefix(end + 1);
      if (auto read = take_line(); !read) return read;
    }
    return {};
  }

  Result<ReadReport> finish() {
    if (!rest_.empty()) {
      ++line_;
      if (const auto entry = parse_entry(rest_)) {
        ++report_.entries;
        visit_(*entry);
      } else {
        report_.torn = true;
      }
    }
    if (report_.entries == 0 && line_ > 0) {
      return fail(
          Errc::invalid, "this is no journal of tanist ({})",
          report_.first_damage.empty() ? "it ends in the first line" : report_.first_damage);
    }
    return report_;
  }

 private:
  Result<void> take_line() {
    ++line_;
    const auto line = std::exchange(rest_, {});
    if (line.empty()) return {};
    const auto entry = parse_entry(line);
    if (entry) {
      ++report_.entries;
      visit_(*entry);
    } else if (entry.error().code == Errc::refused) {
      return pass_on(entry.error());
    } else if (report_.damaged++ == 0) {
      report_.first_damage = format_text("line {}: {}", line_, entry.error().message);
    }
    return {};
  }

  const Visitor& visit_;
  std::string rest_;
  std::size_t line_ = 0;
  ReadReport report_;
};

os::Descriptor open_for_reading(const std::string& path) {
  return os::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

// The last `bytes_max` bytes, beginning with a whole line.
Result<std::string> tail_of(const std::string& path, std::size_t bytes_max) {
  const auto file = open_for_reading(path);
  struct stat status{};
  if (!file.open() || fstat(file.get(), &status) != 0) {
    if (errno == ENOENT) return std::string();
    return fail(Errc::failed, "{}: {}", path, std::strerror(errno));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  const auto wanted = std::min(size, bytes_max);
  std::string text(wanted, '\0');
  const auto got = pread(file.get(), text.data(), wanted, static_cast<off_t>(size - wanted));
  if (got < 0) return fail(Errc::failed, "{}: {}", path, std::strerror(errno));
  text.resize(static_cast<std::size_t>(got));
  if (wanted < size) {
    const auto end = text.find('\n');
    text.erase(0, end == std::string::npos ? text.size() : end + 1);
  }
  return text;
}

}  // namespace

std::string ReadReport::text() const {
  auto out = format_text("{} entries", entries);
  if (damaged > 0) {
    out += format_text(", {} damaged line{} left out ({})", damaged, damaged == 1 ? "" : "s",
                       first_damage);
  }
  if (torn) out += ", the last one is incomplete";
  return out;
}

Result<ReadReport> read_journal(std::string_view text, const Visitor& visit) {
  Lines lines(visit);
  if (auto taken = lines.take(text); !taken) return pass_on(taken.error());
  return lines.finish();
}

Result<ReadReport> read_journal_file(const std::string& path, const Visitor& visit) {
  const auto file = open_for_reading(path);
  if (!file.open()) {
    return fail(errno == ENOENT ? Errc::not_found : Errc::failed, "{}: {}", path,
                std::strerror(errno));
  }
  Lines lines(visit);
  std::string piece(piece_bytes, '\0');
  for (;;) {
    const auto got = read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::failed, "{}: {}", path, std::strerror(errno));
    if (got == 0) break;
    auto taken = lines.take(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
    if (!taken) return pass_on(taken.error(), "{}", path);
  }
  auto report = lines.finish();
  if (!report) return pass_on(report.error(), "{}", path);
  return report;
}

Result<std::string> newest_lines(const std::string& directory, WallTime since,
                                 std::size_t bytes_max) {
  auto newest = tail_of(newest_file(directory), bytes_max);
  if (!newest) return newest;
  std::string all;
  if (newest->size() < bytes_max) {
    auto older = tail_of(older_file(directory), bytes_max - newest->size());
    if (!older) return older;
    all = std::move(*older);
  }
  all += *newest;
  std::string_view rest = all;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) break;
    const auto at = time_of_line(rest.substr(0, end));
    if (at && *at >= since) break;
    rest.remove_prefix(end + 1);
  }
  return std::string(rest);
}

}  // namespace tanist::journal
