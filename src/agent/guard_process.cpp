// SPDX-License-Identifier: Apache-2.0
// posix_spawn, pidfd and Unix sockets around the guard.
#include "agent/guard_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/assert.h"
#include "base/format.h"
#include "base/log.h"
#include "os/file.h"

namespace tanist::agent {

namespace {

// Numbers under which a started guard finds its descriptors; ours are all above (guard_page.cpp).
constexpr int page_number = 3;
constexpr int agent_number = 4;
constexpr int folder_number = 5;
constexpr int first_own_descriptor = 10;

std::string cause() { return std::strerror(errno); }

Descriptor above_the_fixed(Descriptor low) {
  return Descriptor(fcntl(low.get(), F_DUPFD_CLOEXEC, first_own_descriptor));
}

// `strict`: nobody else may even look into it.
Result<Descriptor> open_folder(const std::string& path, bool strict) {
  struct stat status{};
  Descriptor folder = above_the_fixed(
      Descriptor(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
  if (!folder.open() || fstat(folder.get(), &status) != 0) {
    return fail(Errc::failed, "cannot open folder {}: {}", path, cause());
  }
  const mode_t too_open = strict ? 077 : 022;
  if (status.st_uid != geteuid() || (status.st_mode & too_open) != 0) {
    return fail(Errc::refused,
                "folder {} belongs to another user or is open to others; remedy: remove it, or set "
                "RuntimeDirectory=tanist in the unit",
                path);
  }
  return folder;
}

Result<Descriptor> open_own_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Errc::failed, "cannot create folder {}: {}", path, cause());
  }
  return open_folder(path, true);
}

sockaddr_un address_in(const Descriptor& folder, const std::string& directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = format_text("/proc/self/fd/{}/{}", folder.get(),
                                guard_socket_name_of(directory.c_str()).text);
  TANIST_REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

bool wait_until(int fd, Duration limit) {
  pollfd event{fd, POLLIN, 0};
  const int got = poll(&event, 1, static_cast<int>(in_milliseconds(limit)));
  return got > 0;
}

// An existing guard's connection; absent when nobody listens.
Result<std::optional<GuardProcess>> connect_to_guard(const Descriptor& folder,
                                                     const std::string& directory) {
  GuardProcess guard;
  guard.socket = above_the_fixed(
      Descriptor(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
  if (!guard.socket.open()) return fail(Errc::failed, "cannot make a socket: {}", cause());
  const auto address = address_in(folder, directory);
  if (connect(guard.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
    return fail(Errc::failed, "cannot connect to the guard of {}: {}", directory, cause());
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(guard.socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      peer.uid != geteuid()) {
    return fail(Errc::refused, "the guard's socket of {} belongs to user id {}, not to ours",
                directory, peer.uid);
  }
  guard.pid = peer.pid;
  guard.pidfd = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, peer.pid, 0)));
  if (!guard.pidfd.open()) return std::nullopt;
  return guard;
}

bool is_guard_program(const std::string& process) {
  std::error_code code;
  const auto name = std::filesystem::read_symlink(process + "/exe", code).filename().string();
  return !code && (name == "tanist-guard" || name == "tanist-guard (deleted)");
}

// The page of a guard that cannot be asked for it. Only processes of the same user can be read so.
std::optional<GuardProcess> guard_of_process(std::int64_t pid, const std::string& directory) {
  const auto process = format_text("/proc/{}", pid);
  GuardProcess guard;
  guard.pid = pid;
  guard.pidfd = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!guard.pidfd.open() || !is_guard_program(process)) return std::nullopt;
  const auto path = format_text("{}/fd/{}", process, page_number);
  guard.page = above_the_fixed(Descriptor(open(path.c_str(), O_RDWR | O_CLOEXEC)));
  if (!guard.page.open() || fcntl(guard.page.get(), F_GET_SEALS) < 0) return std::nullopt;
  std::array<char, GUARD_PATH_BYTES> named{};
  if (pread(guard.page.get(), named.data(), named.size() - 1, offsetof(guard_page, directory)) <
          0 ||
      directory != named.data()) {
    return std::nullopt;
  }
  return guard;
}

// What posix_spawn needs; freed when it goes.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions_, 0, 1);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  void pass(int fd, int as) { posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  void close_from(int first) { posix_spawn_file_actions_addclosefrom_np(&actions_, first); }

  // Zero or an errno value.
  int spawn(pid_t& pid, const std::string& program, std::vector<std::string> arguments) {
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    std::array<char*, 1> environment{nullptr};
    return posix_spawn(&pid, program.c_str(), &actions_, &attributes_, pointers.data(),
                       environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::string version_of(const guard_message& message) {
  return {message.version, strnlen(message.version, sizeof message.version)};
}

}  // namespace

Result<Descriptor> open_guard_folder(const std::string& preferred) {
  std::string runtime = preferred;
  if (const char* given = std::getenv("RUNTIME_DIRECTORY"); runtime.empty() && given != nullptr) {
    runtime = given;
    runtime = runtime.substr(0, runtime.find(':'));
  }
  if (!runtime.empty()) return open_folder(runtime, false);
  auto of_user = open_own_folder(format_text("/run/user/{}/tanist", geteuid()));
  if (of_user) return of_user;
  return open_own_folder(format_text("/tmp/tanist-{}", geteuid()));
}

std::optional<GuardProcess> find_guard(const Descriptor& folder, const std::string& directory,
                                       Duration limit) {
  auto found = connect_to_guard(folder, directory);
  if (!found) log_warning("{}", found.error().message);
  if (found && *found) {
    auto& guard = **found;
    send_to_guard(guard.socket.get(), GUARD_HELLO);
    auto welcome = await_welcome(guard, limit);
    if (!welcome && welcome.error().code == Errc::timeout) {
      log_warning("the guard (pid {}) of {} does not answer: woken", guard.pid, directory);
      signal_guard(guard.pidfd.get(), SIGCONT);
      welcome = await_welcome(guard, limit);
    }
    if (welcome) return std::move(*found);
    log_warning("the guard (pid {}) of {} is of no use: {}", guard.pid, directory,
                welcome.error().message);
  }
  auto silent = guards_in_proc(directory);
  if (silent.empty()) return std::nullopt;
  return std::move(silent.front());
}

std::vector<GuardProcess> guards_in_proc(const std::string& directory) {
  std::vector<GuardProcess> guards;
  const auto names = os::list_folder("/proc");
  if (!names) return guards;
  for (const auto& name : *names) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto guard = guard_of_process(std::strtoll(name.c_str(), nullptr, 10), directory);
    if (guard) guards.push_back(std::move(*guard));
  }
  return guards;
}

Result<GuardProcess> start_guard(const std::string& program, int page, const Descriptor& folder) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(Errc::failed, "cannot make a socket for the guard: {}", cause());
  }
  GuardProcess guard;
  guard.socket = above_the_fixed(Descriptor(ends[0]));
  const Descriptor theirs = above_the_fixed(Descriptor(ends[1]));
  SpawnPlan plan;
  plan.pass(page, page_number);
  plan.pass(theirs.get(), agent_number);
  std::vector<std::string> arguments{program,      "watch",
                                     "--page-fd",  std::to_string(page_number),
                                     "--agent-fd", std::to_string(agent_number)};
  if (folder.open()) {
    plan.pass(folder.get(), folder_number);
    arguments.insert(arguments.end(), {"--folder-fd", std::to_string(folder_number)});
  }
  plan.close_from(folder.open() ? folder_number + 1 : folder_number);
  pid_t pid = 0;
  if (const int code = plan.spawn(pid, program, std::move(arguments)); code != 0) {
    return fail(Errc::failed, "cannot start the guard {}: {}", program, std::strerror(code));
  }
  guard.pid = pid;
  guard.pidfd = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!guard.pidfd.open()) {
    return fail(Errc::failed, "the guard {} (pid {}) ended at once", program, pid);
  }
  return guard;
}

Result<void> await_welcome(GuardProcess& guard, Duration limit) {
  if (!wait_until(guard.socket.get(), limit)) {
    return fail(Errc::timeout, "no answer within {} ms", in_milliseconds(limit));
  }
  auto answer = receive_from_guard(guard.socket.get());
  if (!answer) return pass_on(answer.error());
  if (!*answer || (*answer)->message.kind != GUARD_WELCOME || !(*answer)->attached.open()) {
    return fail(Errc::failed, "the guard's first answer is no welcome");
  }
  guard.version = version_of((*answer)->message);
  guard.page = std::move((*answer)->attached);
  return {};
}

bool send_to_guard(int socket, guard_message_kind kind, int attached) {
  guard_message message{};
  message.kind = kind;
  std::memcpy(message.version, TANIST_VERSION, sizeof TANIST_VERSION);
  static_assert(sizeof TANIST_VERSION <= sizeof message.version);
  iovec part{&message, sizeof message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (attached >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    auto* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &attached, sizeof attached);
  }
  return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(sizeof message);
}

Result<std::optional<GuardAnswer>> receive_from_guard(int socket) {
  GuardAnswer answer;
  iovec part{&answer.message, sizeof answer.message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const auto got = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (got <= 0) return fail(Errc::failed, "the guard closed its connection");
  if (const auto* rights = CMSG_FIRSTHDR(&header);
      rights != nullptr && rights->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    answer.attached = Descriptor(fd);
  }
  if (got != static_cast<ssize_t>(sizeof answer.message)) {
    return fail(Errc::failed, "the guard sent a message of {} bytes", got);
  }
  return answer;
}

void signal_guard(int pidfd, int signal) {
  syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

}  // namespace tanist::agent
