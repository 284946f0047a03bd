// SPDX-License-Identifier: Apache-2.0
// Bytes that a client sends to the REST API: the whole server over a real connection, with a loop
// that answers everything at once. Whatever comes, the server answers or closes in time, starts
// nothing that was not asked for, and is well afterwards.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "os/clock.h"
#include "rest/server.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace tanist;

std::shared_ptr<Status> status_of_a_primary() {
  auto status = std::make_shared<Status>();
  status->document = Tree::map({{"state", "running"}, {"role", "primary"}});
  status->config = Tree::map({{"ttl", 30}});
  status->state = status->internal_state = ServerState::running;
  status->role = Role::primary;
  status->in_recovery = false;
  status->holds_lock = status->view_valid = true;
  status->good_until = Instant::max();
  return status;
}

// Lives until the process ends: libFuzzer leaves by _exit.
rest::Server& server() {
  static rest::Server* instance = nullptr;
  if (instance != nullptr) return *instance;
  RestSettings settings;
  settings.listen = {"127.0.0.1", 0};
  settings.username = "admin";
  settings.password = Secret("secret");
  rest::ServerHooks hooks;
  hooks.now = os::now;
  hooks.lease_deadline = [] { return std::optional(Instant::max()); };
  hooks.submit = [](const ApiRequest& request) {
    ApiReply reply;
    reply.id = request.id;
    reply.body = "done";
    instance->reply(reply);
  };
  instance = new rest::Server(settings, std::move(hooks));
  fuzz::expect(instance->start().has_value(), "the server starts");
  instance->publish(status_of_a_primary());
  return *instance;
}

// The answer to `bytes`; aborts when the server neither answers nor closes within 5 s.
std::string exchange(std::string_view bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const linger reset{1, 0};  // no connection is left in TIME_WAIT: ports would run out
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(server().port());
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0;
  fuzz::expect(connected, "the server accepts connections");
  (void)send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  shutdown(fd, SHUT_WR);
  std::string answer;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0) answer.append(buffer, got);
  const bool in_time = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  fuzz::expect(in_time, "the server answers or closes in time");
  close(fd);
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)server();
  const auto answer = exchange(fuzz::text_of(data, size));
  fuzz::expect(answer.empty() || answer.starts_with("HTTP/1."), "an answer is HTTP");
  static unsigned count = 0;
  if (++count % 256 == 0) {
    fuzz::expect(exchange("OPTIONS / HTTP/1.0\r\n\r\n") == "HTTP/1.0 200 OK\r\n\r\n",
                 "health checks are answered");
  }
  return 0;
}
