// SPDX-License-Identifier: Apache-2.0
// For tests: a real PostgreSQL server in a temporary folder on an address of this process's own,
// and the way to run a test program as the user postgres, because the server refuses to be root.
#pragma once

#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "base/format.h"
#include "os/descriptor.h"

namespace tanist::sql {

// Where the server's programs are: TANIST_TEST_PG_BIN, else the newest version that is installed.
inline const std::string test_bin_dir = [] {
  if (const char* named = std::getenv("TANIST_TEST_PG_BIN"); named != nullptr) {
    return std::string(named);
  }
  std::string newest;
  int highest = 0;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version <= highest || !std::filesystem::exists(entry.path() / "bin/postgres")) continue;
    highest = version;
    newest = entry.path() / "bin";
  }
  return newest;
}();

// Why tests with real servers cannot run here; empty = they can.
inline std::string no_server_reason() {
  if (!std::filesystem::exists(test_bin_dir + "/postgres")) {
    return "there is no server program in " + test_bin_dir;
  }
  if (geteuid() == 0) return "PostgreSQL refuses to run as root, and there is no user postgres";
  return "";
}

// For GoogleTest, at the beginning of a test.
#define TANIST_NEEDS_SERVER() \
  if (const auto reason = ::tanist::sql::no_server_reason(); !reason.empty()) GTEST_SKIP() << reason

// Runs this program again as the user postgres when it runs as root and that user exists.
inline void become_postgres(char** arguments) {
  const passwd* user = geteuid() == 0 ? getpwnam("postgres") : nullptr;
  if (user == nullptr) return;
  const auto identifier = user->pw_uid;
  setenv("HOME", "/tmp", 1);
  if (initgroups("postgres", user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
      setuid(identifier) != 0) {
    return;
  }
  execv("/proc/self/exe", arguments);
}

// A test cannot go on: its exception is the failure's text.
inline void must(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("test server: " + what);
}

// An address of the loopback network that no other living test process uses.
inline std::string own_address() {
  const auto pid = static_cast<unsigned>(getpid());
  return format_text("127.{}.{}.{}", 64 + ((pid >> 16) & 63), (pid >> 8) & 255, 1 + (pid & 127));
}

inline std::uint16_t free_port() {
  const os::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t length = sizeof address;
  must(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0, "bind");
  must(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0,
       "getsockname");
  return ntohs(address.sin_port);
}

inline void shell(const std::string& command) {
  must(std::system(command.c_str()) == 0, command);  // NOLINT(bugprone-command-processor)
}

// Removed with all its content at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "tanist.XXXXXX").string()) {
    must(mkdtemp(path_.data()) != nullptr, "mkdtemp");
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// A data directory made by initdb once in a program; tests copy it. Superuser: postgres.
inline const std::string& template_data() {
  static const TemporaryFolder folder;
  static const std::string data = [] {
    auto path = folder / "data";
    shell(test_bin_dir + "/initdb -D " + path +
          " -U postgres -A trust --no-sync --no-locale -E UTF8 >/dev/null");
    return path;
  }();
  return data;
}

// One running server, made by hand rather than by the code under test.
class TestServer {
 public:
  explicit TestServer(const std::string& settings = "", const std::string& hba = "") {
    shell("cp -a " + template_data() + " " + data());
    std::ofstream(data() + "/postgresql.conf", std::ios::app)
        << "listen_addresses='" << address << "'\nport=" << port << "\nunix_socket_directories='"
        << folder.path() << "'\nfsync=off\nshared_buffers=16MB\n"
        << settings << "\n";
    if (!hba.empty()) std::ofstream(data() + "/pg_hba.conf") << hba << "\n";
    start();
  }
  ~TestServer() {
    const auto command = pg_ctl("stop -m immediate") + " 2>/dev/null || true";
    static_cast<void>(std::system(command.c_str()));  // NOLINT(bugprone-command-processor)
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  void start() { control("start -w -l " + (folder / "log")); }
  void stop(const std::string& mode) { control("stop -m " + mode); }
  std::string data() const { return folder / "data"; }

  const TemporaryFolder folder;
  const std::string address = own_address();
  const std::uint16_t port = free_port();

 private:
  std::string pg_ctl(const std::string& what) const {
    return test_bin_dir + "/pg_ctl -D " + data() + " " + what + " >/dev/null";
  }
  void control(const std::string& what) const { shell(pg_ctl(what)); }
};

}  // namespace tanist::sql
