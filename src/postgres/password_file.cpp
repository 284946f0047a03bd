// SPDX-License-Identifier: Apache-2.0
// Lines for libpq's password file.
#include "postgres/password_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <vector>

#include "os/file.h"
#include "postgres/paths.h"
#include "sql/conninfo.h"

namespace tanist::postgres {

namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::vector<std::string> lines_for(const PasswordEntry& entry) {
  std::vector<std::string> lines;
  const auto add = [&](std::string_view host, std::string_view port) {
    auto line = (host.empty() ? "*" : escaped(host)) + ":" + (port.empty() ? "*" : escaped(port)) +
                ":*:" + escaped(entry.user) + ":" + escaped(entry.password.reveal());
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
  };
  for (const auto& [host, port] : sql::hosts_of({{"host", entry.host}, {"port", entry.port}})) {
    add(host, port);
    // libpq looks sockets in the default folder up under this name.
    if (host.starts_with('/')) add("localhost", port);
  }
  return lines;
}

}  // namespace

Secret password_file_text(const PasswordEntry& entry) {
  std::string text;
  for (const auto& line : lines_for(entry)) text += line + "\n";
  return Secret(std::move(text));
}

bool same_password_lines(std::string_view content, const PasswordEntry& entry) {
  std::set<std::string, std::less<>> present;
  while (!content.empty()) {
    const auto end = std::min(content.find('\n'), content.size());
    const auto line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    if (!line.empty()) present.emplace(line);
  }
  const auto wanted = lines_for(entry);
  return present == std::set<std::string, std::less<>>(wanted.begin(), wanted.end());
}

Result<void> write_password_file(const std::string& path, const PasswordEntry& entry) {
  const auto has_line_break = [](const std::string& text) {
    return text.find_first_of("\r\n") != std::string::npos;
  };
  if (has_line_break(entry.user) || has_line_break(entry.password.reveal())) {
    return fail(Errc::invalid,
                "the user name or password of \"{}\" has a line break, which no password file can "
                "hold: choose another one",
                entry.user.substr(0, entry.user.find_first_of("\r\n")));
  }
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return fail(Errc::refused, "postgresql.pgpass: {} is not a regular file", path);
  }
  if (auto made = os::create_folders(folder_of(path), 0700); !made) return made;
  constexpr mode_t only_owner = 0600;
  return os::replace_file(path, password_file_text(entry).reveal(), only_owner);
}

}  // namespace tanist::postgres
