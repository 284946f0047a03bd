// SPDX-License-Identifier: Apache-2.0
// Stream sockets without blocking.
#include "routing/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/format.h"

namespace tanist::routing {

namespace {

// What an answer may hold; more than that is no answer of HAProxy's.
constexpr std::size_t answer_bytes_max = 64 * 1024;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<Address> address_of_path(const std::string& path) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  if (path.size() >= sizeof un.sun_path) return fail(Errc::invalid, "{} is too long", path);
  std::memcpy(un.sun_path, path.data(), path.size());
  Address address;
  address.size = sizeof un;
  std::memcpy(&address.storage, &un, sizeof un);
  return address;
}

Result<Address> address_of(std::string host, std::uint16_t port) {
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  Address address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (host.empty() || host == "*" || inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.size = sizeof v4;
    std::memcpy(&address.storage, &v4, sizeof v4);
    return address;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) {
    return fail(Errc::invalid, "{} is no address; names are not looked up here", host);
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  address.size = sizeof v6;
  std::memcpy(&address.storage, &v6, sizeof v6);
  return address;
}

Result<Address> parse(const std::string& where) {
  if (where.starts_with("/")) return address_of_path(where);
  const auto colon = where.rfind(':');
  std::uint16_t port = 0;
  const auto* end = where.data() + where.size();
  const bool good = colon != std::string::npos &&
                    std::from_chars(where.data() + colon + 1, end, port).ptr == end && port != 0;
  if (!good) return fail(Errc::invalid, "{} is neither a path nor ADDRESS:PORT", where);
  return address_of(where.substr(0, colon), port);
}

tl::unexpected<Error> failure(const std::string& where, int error) {
  return fail(Errc::unavailable, "{}: {}", where, std::strerror(error));
}

os::Awaitable<Result<os::Descriptor>> connect_to(std::string where, os::Limit limit) {
  const auto address = parse(where);
  if (!address) co_return pass_on(address.error());
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  os::Descriptor socket(::socket(address->storage.ss_family, type, 0));
  if (socket.get() < 0) co_return failure(where, errno);
  if (::connect(socket.get(), address->get(), address->size) == 0) co_return socket;
  if (errno != EINPROGRESS) co_return failure(where, errno);
  const auto how = co_await os::writable(socket.get(), limit);
  if (how != os::Ended::done) co_return tl::unexpected(os::not_done(how, where));
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) co_return failure(where, error);
  co_return socket;
}

os::Awaitable<Result<std::string>> read_to_end(int socket, std::string where, os::Limit limit) {
  std::string answer;
  char buffer[4096];
  while (answer.size() < answer_bytes_max) {
    const auto got = ::recv(socket, buffer, sizeof buffer, 0);
    if (got == 0) break;
    if (got > 0) {
      answer.append(buffer, static_cast<std::size_t>(got));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return failure(where, errno);
    const auto how = co_await os::readable(socket, limit);
    if (how != os::Ended::done) co_return tl::unexpected(os::not_done(how, where));
  }
  co_return answer;
}

}  // namespace

os::Awaitable<Result<std::string>> exchange(std::string where, std::function<std::string()> line,
                                            os::Limit limit) {
  auto socket = co_await connect_to(where, limit);
  if (!socket) co_return pass_on(socket.error());
  // A fresh socket takes a short line at once, whole.
  const auto text = line();
  const auto sent = ::send(socket->get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (sent < 0) co_return failure(where, errno);
  if (static_cast<std::size_t>(sent) != text.size()) co_return failure(where, ENOBUFS);
  co_return co_await read_to_end(socket->get(), where, limit);
}

Result<os::Descriptor> listen_at(const std::string& address, std::uint16_t port) {
  const auto where = format_text("{}:{}", address, port);
  const auto parsed = address_of(address, port);
  if (!parsed) return pass_on(parsed.error());
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  os::Descriptor socket(::socket(parsed->storage.ss_family, type, 0));
  if (socket.get() < 0) return failure(where, errno);
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), parsed->get(), parsed->size) != 0 || ::listen(socket.get(), 64) != 0) {
    return failure(where, errno);
  }
  return socket;
}

}  // namespace tanist::routing
