// SPDX-License-Identifier: Apache-2.0
// Looking at the machine. Blocking, with limits.
#include "config/probe.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace tanist::config {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &found) != 0) {
    found = nullptr;
  }
  return {found, &freeaddrinfo};
}

int whole_milliseconds(Duration limit) {
  return static_cast<int>(std::clamp<std::int64_t>(in_milliseconds(limit), 0, 60'000));
}

bool connects(const addrinfo& address, Duration limit) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return false;
  bool connected = connect(socket, address.ai_addr, address.ai_addrlen) == 0;
  if (!connected && errno == EINPROGRESS) {
    pollfd writable{socket, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    connected = poll(&writable, 1, whole_milliseconds(limit)) == 1 &&
                getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }
  close(socket);
  return connected;
}

std::string read_within(int descriptor, Duration limit) {
  std::string text;
  std::array<char, 1024> buffer{};
  pollfd readable{descriptor, POLLIN, 0};
  while (text.size() < 4096 && poll(&readable, 1, whole_milliseconds(limit)) == 1) {
    const auto count = read(descriptor, buffer.data(), buffer.size());
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace

bool answers(const HostPort& address, Duration limit) {
  const bool own = address.host.empty() || address.host == "*";
  const auto found = resolve(own ? "localhost" : address.host, std::to_string(address.port));
  for (const addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    if (connects(*at, limit)) return true;
  }
  return false;
}

std::string find_program(const std::string& name, const std::string& folder) {
  const auto executable = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) return executable(name) ? name : "";
  const char* path = std::getenv("PATH");
  std::string_view folders = folder;
  if (folder.empty() && path != nullptr) folders = path;
  while (true) {
    const auto colon = folder.empty() ? folders.find(':') : std::string_view::npos;
    const auto candidate = std::string(folders.substr(0, colon)) + "/" + name;
    if (executable(candidate)) return candidate;
    if (colon == std::string_view::npos) return "";
    folders.remove_prefix(colon + 1);
  }
}

Result<std::string> version_text(const std::string& program, Duration limit) {
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) return fail(Errc::failed, "pipe: {}", strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  std::string name = program;
  std::string option = "--version";
  std::array<char*, 3> arguments{name.data(), option.data(), nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe[1]);
  std::string text;
  if (error == 0) {
    text = read_within(pipe[0], limit);
    kill(pid, SIGKILL);  // it has printed its line, or it never will
    waitpid(pid, nullptr, 0);
  }
  close(pipe[0]);
  if (error != 0) return fail(Errc::failed, "{}: {}", program, strerror(error));
  if (text.empty()) return fail(Errc::failed, "{} --version printed nothing", program);
  return text.substr(0, text.find('\n'));
}

Result<int> major_version_in(std::string_view text) {
  const auto start = text.find_first_of("0123456789");
  int major = 0;
  int minor = 0;
  if (start != std::string_view::npos) {
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + start, end, major);
    if (major < 10 && parsed.ptr != end && *parsed.ptr == '.') {
      std::from_chars(parsed.ptr + 1, end, minor);
    }
  }
  if (major < 8) return fail(Errc::invalid, "no PostgreSQL version in \"{}\"", text.substr(0, 80));
  return major < 10 ? major * 100 + minor : major;
}

std::string own_host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string own_address() {
  const auto found = resolve(own_host_name(), "");
  std::string address;
  for (const addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    if (at->ai_family == AF_INET) return text.data();
    if (address.empty()) address = text.data();
  }
  return address;
}

}  // namespace tanist::config
