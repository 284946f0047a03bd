// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's start-up handshake, up to the first message of the server.
#include "sql/readiness.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "os/descriptor.h"

namespace tanist::sql {

namespace {

constexpr std::size_t message_bytes_max = 30000;

void put_int32(std::string& text, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

std::optional<SocketAddress> socket_address(const ProbeTarget& target) {
  SocketAddress result;
  auto* local = reinterpret_cast<sockaddr_un*>(&result.storage);
  auto* four = reinterpret_cast<sockaddr_in*>(&result.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (target.address.starts_with('/')) {
    const auto path = format_text("{}/.s.PGSQL.{}", target.address, target.port);
    if (path.size() >= sizeof local->sun_path) return std::nullopt;
    local->sun_family = AF_UNIX;
    std::memcpy(local->sun_path, path.c_str(), path.size() + 1);
    result.length = sizeof *local;
  } else if (inet_pton(AF_INET, target.address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(target.port);
    result.length = sizeof *four;
  } else if (inet_pton(AF_INET6, target.address.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(target.port);
    result.length = sizeof *six;
  } else {
    return std::nullopt;
  }
  return result;
}

// Waits until the connection stands. False when nobody listens.
os::Awaitable<bool> connected(int socket, SocketAddress address, os::Limit limit) {
  const auto* where = reinterpret_cast<const sockaddr*>(&address.storage);
  if (connect(socket, where, address.length) == 0) co_return true;
  if (errno != EINPROGRESS) co_return false;
  const auto how = co_await os::writable(socket, std::move(limit));
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length);
  co_return how == os::Ended::done&& error == 0;
}

}  // namespace

std::string startup_message(const std::string& user, const std::string& database) {
  std::string body;
  put_int32(body, 0x00030000U);
  for (const auto& text : {std::string("user"), user, std::string("database"), database}) {
    body += text;
    body += '\0';
  }
  body += '\0';
  std::string message;
  put_int32(message, static_cast<std::uint32_t>(body.size() + 4));
  return message + body;
}

std::optional<Answer> read_answer(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  if (bytes[0] == 'R' || bytes[0] == 'v' || bytes[0] == 'N') return Answer::accepting;
  if (bytes[0] != 'E') return Answer::unknown;
  // Fields: a letter, a text, a zero byte; C is the SQLSTATE.
  auto fields = bytes.substr(std::min<std::size_t>(bytes.size(), 5));
  while (!fields.empty()) {
    const auto end = fields.find('\0');
    if (end == std::string_view::npos || end == 0) break;
    if (fields[0] == 'C') {
      return fields.substr(1, end - 1) == "57P03" ? Answer::rejecting : Answer::accepting;
    }
    fields.remove_prefix(end + 1);
  }
  const bool complete = fields.starts_with('\0') || bytes.size() > message_bytes_max;
  return complete ? std::optional(Answer::unknown) : std::nullopt;
}

os::Awaitable<Answer> probe(ProbeTarget target, os::Limit limit) {
  const auto address = socket_address(target);
  if (!address) co_return Answer::unknown;
  const os::Descriptor socket(
      ::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool stands = co_await connected(socket.get(), *address, limit);
  if (!stands) co_return Answer::none;
  const auto message = startup_message(target.user, target.database);
  const auto sent = send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(message.size())) co_return Answer::none;
  std::string received;
  for (;;) {
    const auto how = co_await os::readable(socket.get(), limit);
    if (how != os::Ended::done) co_return Answer::none;
    char buffer[4096];
    const auto count = recv(socket.get(), buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) co_return Answer::none;
    received.append(buffer, static_cast<std::size_t>(count));
    if (const auto answer = read_answer(received)) co_return *answer;
  }
}

}  // namespace tanist::sql
