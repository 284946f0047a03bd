// SPDX-License-Identifier: Apache-2.0
// Waiting for processes, collecting what they say, ending them.
#include "os/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "os/pidfd.h"
#include "os/proc.h"
#include "os/spawn.h"

namespace tanist::os {

namespace asio = boost::asio;

// ---- One process -----------------------------------------------------------------------------

bool Process::alive() const {
  if (reaped_) return false;
  pollfd waiting{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) == 0;
}

bool Process::send(int signal) const {
  return !reaped_ && pidfd_send_signal(pidfd_.get(), signal, nullptr, 0) == 0;
}

void Process::reap() {
  if (reaped_) return;
  reaped_ = true;
  if (!child_) return;
  siginfo_t info{};
  const auto id = static_cast<id_t>(pidfd_.get());
  if (waitid(P_PIDFD, id, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return;
  // The form of waitpid: the exit code in the second byte, or the signal in the first.
  status_ = info.si_code == CLD_EXITED ? (info.si_status & 0xFF) << 8 : info.si_status & 0x7F;
}

Awaitable<Ended> Process::exited(Limit limit) {
  if (!reaped_) {
    const auto how = co_await readable(pidfd_.get(), std::move(limit));
    if (how != Ended::done) co_return how;
    reap();
  }
  co_return Ended::done;
}

Result<ProcessPtr> adopt_process(std::int64_t pid) {
  if (pid <= 1) return fail(Errc::invalid, "{} is not the pid of a server", pid);
  Descriptor pidfd(pidfd_open(static_cast<pid_t>(pid), 0));
  if (!pidfd.open()) {
    return fail(errno == ESRCH ? Errc::not_found : Errc::failed, "cannot watch process {}: {}", pid,
                std::strerror(errno));
  }
  const auto process = read_process(pid);
  if (!process) return pass_on(process.error());
  auto adopted = std::make_shared<Process>(process->identity, std::move(pidfd), false);
  if (process->state == 'Z' || !adopted->alive()) {
    return fail(Errc::not_found, "process {} has ended", pid);
  }
  return adopted;
}

std::string describe_status(int status) {
  if (status == -1) return "an unknown end";
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

std::vector<std::string> environment_without(const std::vector<std::string_view>& prefixes) {
  std::vector<std::string> kept;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto drop = [&](std::string_view prefix) { return text.starts_with(prefix); };
    if (std::ranges::none_of(prefixes, drop)) kept.emplace_back(text);
  }
  return kept;
}

// ---- Captured streams ------------------------------------------------------------------------

namespace {

// One captured stream: keeps its end, hands out whole lines.
struct Captured {
  std::string text;
  std::size_t bytes_max = 0;
  std::function<void(std::string_view)> on_line;
  std::string line;
  OccurrencePtr ended;

  void take(std::string_view part) {
    text += part;
    if (text.size() > 2 * bytes_max) text.erase(0, text.size() - bytes_max);
    if (on_line) take_lines(part);
  }

  void take_lines(std::string_view part) {
    constexpr std::size_t line_bytes_max = 8192;
    for (const char c : part) {
      const bool whole = c == '\n' || c == '\r';
      if (!whole && line.size() < line_bytes_max) line += c;
      if (whole && !line.empty()) on_line(std::exchange(line, {}));
    }
  }

  std::string result() {
    if (text.size() > bytes_max) text.erase(0, text.size() - bytes_max);
    return std::move(text);
  }
};
using CapturedPtr = std::shared_ptr<Captured>;

// Reads until the other end closes or the limit passes.
Awaitable<void> drain(CapturedPtr stream, Descriptor source, Limit limit) {
  std::vector<char> buffer(65536);
  for (;;) {
    const auto count = read(source.get(), buffer.data(), buffer.size());
    if (count > 0) {
      stream->take({buffer.data(), static_cast<std::size_t>(count)});
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) break;
    const auto how = co_await readable(source.get(), limit);
    if (how != Ended::done) break;
  }
  stream->ended->happen();
}

CapturedPtr start_capture(const Executor& loop, Descriptor source, std::size_t bytes_max,
                          std::function<void(std::string_view)> on_line, StopPtr stop) {
  auto stream = std::make_shared<Captured>();
  stream->bytes_max = bytes_max;
  stream->on_line = std::move(on_line);
  stream->ended = std::make_shared<Occurrence>(loop);
  if (source.open()) {
    start(loop, drain(stream, std::move(source), Limit{.stop = std::move(stop)}));
  } else {
    stream->ended->happen();
  }
  return stream;
}

Awaitable<Result<Spawned>> spawn(DiskPool* pool, SpawnRequest request, Limit limit) {
  TANIST_REQUIRE(!request.arguments.empty());
  auto job = [request = std::move(request)] { return spawn_now(request); };
  auto spawned = co_await on_disk(*pool, std::move(limit), std::move(job));
  co_return std::move(spawned);
}

}  // namespace

Awaitable<Result<ProcessPtr>> spawn_process(DiskPool* pool, SpawnRequest request, Limit limit) {
  if (request.output == Output::capture) request.output = Output::discard;
  if (request.errors == Output::capture) request.errors = Output::discard;
  auto spawned = co_await spawn(pool, std::move(request), std::move(limit));
  if (!spawned) co_return pass_on(spawned.error());
  co_return spawned->take();
}

Awaitable<Result<ProcessEnd>> run_process(DiskPool* pool, SpawnRequest request, Limit limit) {
  const auto loop = co_await asio::this_coro::executor;
  const auto program = request.arguments.at(0);
  const auto bytes_max = request.captured_bytes_max;
  auto on_error_line = std::move(request.on_error_line);
  request.on_error_line = nullptr;
  request.own_session = true;
  auto spawned = co_await spawn(pool, std::move(request), limit);
  if (!spawned) co_return pass_on(spawned.error());
  const auto child = spawned->take();
  const auto give_up = std::make_shared<Stop>();
  auto output = start_capture(loop, std::move(spawned->output), bytes_max, nullptr, give_up);
  auto errors =
      start_capture(loop, std::move(spawned->errors), bytes_max, std::move(on_error_line), give_up);
  const auto how = co_await child->exited(std::move(limit));
  if (how != Ended::done) {
    co_await end_session(pool, child, kill_grace);
  }
  // What the program left behind may hold the streams open; its words are no longer awaited.
  const auto soon = Limit{}.within(milliseconds{500});
  co_await until(output->ended, soon);
  co_await until(errors->ended, soon);
  give_up->request();
  if (how != Ended::done) co_return tl::unexpected<Error>(not_done(how, program));
  co_return ProcessEnd{child->status(), output->result(), errors->result()};
}

// ---- Ending a session ------------------------------------------------------------------------

namespace {

// SIGKILLs all processes of the session; the number of those that were not yet dead.
int kill_session(std::int64_t session) {
  int living = 0;
  for (const auto& process : all_processes()) {
    if (process.session != session || process.state == 'Z') continue;
    ++living;
    const auto member = adopt_process(process.identity.pid);
    if (member && (*member)->identity() == process.identity) (*member)->send(SIGKILL);
  }
  return living;
}

}  // namespace

Awaitable<bool> end_session(DiskPool* pool, ProcessPtr leader, Duration grace) {
  const auto session = leader->identity().pid;
  // The leader is not reaped before the end, so nobody else can have its pid.
  if (leader->alive()) kill(static_cast<pid_t>(-session), SIGTERM);
  const auto in_peace = Limit{}.within(grace);
  co_await readable(leader->pidfd_.get(), in_peace);
  const auto limit = Limit{}.within(seconds{30});
  for (;;) {
    auto job = [session] { return kill_session(session); };
    const auto living = co_await on_disk(*pool, limit, std::move(job));
    const bool ended = living && *living == 0;
    if (ended || limit.over()) {
      if (!leader->alive()) leader->reap();
      co_return ended;
    }
    const auto moment = limit.within(milliseconds{10});
    co_await pause(moment);
  }
}

}  // namespace tanist::os
