// SPDX-License-Identifier: Apache-2.0
// One posix_spawn: default signals, own session, empty input, only the descriptors that were named.
#include "os/spawn.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "os/pidfd.h"
#include "os/proc.h"

namespace tanist::os {

namespace {

constexpr int above_all_targets = 1000;  // where sources of dup2 cannot be its targets

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

  void open(int target, const char* path, int flags) {
    posix_spawn_file_actions_addopen(&actions_, target, path, flags, 0);
  }
  void use(const Descriptor& source, int target) {
    posix_spawn_file_actions_adddup2(&actions_, source.get(), target);
  }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  explicit Attributes(bool own_session) {
    posix_spawnattr_init(&attributes_);
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    const int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    posix_spawnattr_setflags(&attributes_,
                             static_cast<short>(own_session ? flags | POSIX_SPAWN_SETSID : flags));
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::vector<char*> as_pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Makes the stream `target` of the child. Returns our end when it is captured.
Result<Descriptor> prepare_stream(Output wanted, int target, FileActions& actions,
                                  std::vector<Descriptor>& kept) {
  if (wanted == Output::discard) actions.open(target, "/dev/null", O_WRONLY);
  if (wanted != Output::capture) return Descriptor();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail(Errc::failed, "cannot create a pipe: {}", std::strerror(errno));
  }
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  kept.push_back(theirs.duplicate(above_all_targets));
  actions.use(kept.back(), target);
  return ours;
}

// A descriptor duplicated to itself loses its close-on-exec flag and nothing else. The others are
// closed one by one: they may lack that flag.
void prepare_inherited(const std::vector<int>& inherited, FileActions& actions) {
  int first_closed = STDERR_FILENO + 1;
  const std::set<int> kept(inherited.begin(), inherited.end());
  for (const int fd : kept) {
    while (first_closed < fd) posix_spawn_file_actions_addclose(actions.get(), first_closed++);
    posix_spawn_file_actions_adddup2(actions.get(), fd, fd);
    first_closed = fd + 1;
  }
  posix_spawn_file_actions_addclosefrom_np(actions.get(), first_closed);
}

}  // namespace

Spawned::~Spawned() {
  if (!pidfd_.open()) return;
  kill(-pid_, SIGKILL);
  pidfd_send_signal(pidfd_.get(), SIGKILL, nullptr, 0);
  waitpid(pid_, nullptr, WNOHANG);
}

ProcessPtr Spawned::take() {
  const auto process = read_process(pid_);
  const auto identity = process ? process->identity : ProcessIdentity{pid_, 0};
  return std::make_shared<Process>(identity, std::move(pidfd_), true);
}

Result<Spawned> spawn_now(const SpawnRequest& request) {
  FileActions actions;
  std::vector<Descriptor> kept;
  actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  auto output = prepare_stream(request.output, STDOUT_FILENO, actions, kept);
  if (!output) return pass_on(output.error());
  auto errors = prepare_stream(request.errors, STDERR_FILENO, actions, kept);
  if (!errors) return pass_on(errors.error());
  prepare_inherited(request.inherited, actions);
  if (!request.working_folder.empty()) {
    posix_spawn_file_actions_addchdir_np(actions.get(), request.working_folder.c_str());
  }
  const Attributes attributes(request.own_session);
  const auto arguments = as_pointers(request.arguments);
  const auto environment = as_pointers(request.environment);
  pid_t pid = -1;
  const int code = posix_spawnp(&pid, arguments[0], actions.get(), attributes.get(),
                                arguments.data(), environment.data());
  if (code != 0) {
    return fail(code == ENOENT ? Errc::not_found : Errc::failed, "cannot run {}: {}",
                request.arguments[0], std::strerror(code));
  }
  Spawned spawned(pid, Descriptor(pidfd_open(pid, 0)));
  spawned.output = std::move(*output);
  spawned.errors = std::move(*errors);
  return spawned;
}

}  // namespace tanist::os
