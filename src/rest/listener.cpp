// SPDX-License-Identifier: Apache-2.0
// Listening sockets. Blocking.
#include "rest/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/v6_only.hpp>

#include "base/format.h"
#include "os/file.h"
#include "rest/names.h"

namespace tanist::rest {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Short queues lose connection attempts in bursts of health checks; the kernel caps it anyway.
constexpr int queue_size_min = 512;

bool is_everywhere(const std::string& host) { return host.empty() || host == "*"; }

// Accepted sockets inherit these. Failures do not matter: they only make a dead peer cost longer.
void watch_peers(Acceptor& acceptor) {
  const auto set = [&](int level, int option, int value) {
    setsockopt(acceptor.native_handle(), level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 3);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 2);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 10000);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
}

error_code open_one(Acceptor& acceptor, const tcp::endpoint& endpoint, int queue_size) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (endpoint.protocol() == tcp::v6()) {
    // Dual stack only for "all addresses": a named IPv6 address stands for itself.
    acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), error);
  }
  watch_peers(acceptor);
  acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(std::max(queue_size, queue_size_min), error);
  return error;
}

std::string remedy_for(const error_code& error, std::uint16_t port) {
  if (error == asio::error::address_in_use) {
    const auto holder = holder_of_port(port);
    return format_text("{}; stop that process or choose another port in restapi.listen",
                       holder ? "process " + *holder + " listens there"
                              : std::string("another process listens there"));
  }
  if (error == asio::error::access_denied) {
    return "ports below 1024 need CAP_NET_BIND_SERVICE; choose another one in restapi.listen";
  }
  if (error == error_code(EADDRNOTAVAIL, boost::system::system_category())) {
    return "no interface of this machine has this address; correct restapi.listen";
  }
  return "check restapi.listen";
}

bool is_missing_family(const error_code& error) {
  return error == asio::error::address_family_not_supported ||
         error == error_code(EADDRNOTAVAIL, boost::system::system_category());
}

Result<Addresses> addresses_of(const HostPort& listen) {
  if (is_everywhere(listen.host)) {
    return Addresses{asio::ip::address_v6::any(), asio::ip::address_v4::any()};
  }
  auto found = look_up(listen.host);
  if (!found) return fail(Errc::invalid, "restapi.listen: {}", found.error().message);
  return found;
}

}  // namespace

Result<std::vector<std::shared_ptr<Acceptor>>> open_listeners(const asio::any_io_executor& executor,
                                                              const HostPort& listen,
                                                              int queue_size) {
  const auto addresses = addresses_of(listen);
  if (!addresses) return pass_on(addresses.error());
  std::vector<std::shared_ptr<Acceptor>> acceptors;
  error_code missing;
  for (const auto& address : *addresses) {
    auto acceptor = std::make_shared<Acceptor>(executor);
    const tcp::endpoint endpoint(address, listen.port);
    const auto error = open_one(*acceptor, endpoint, queue_size);
    if (!error) {
      acceptors.push_back(std::move(acceptor));
      if (is_everywhere(listen.host)) return acceptors;  // the dual-stack socket serves both
    } else if (is_missing_family(error) && addresses->size() > 1) {
      missing = error;
    } else {
      return fail(Errc::refused, "cannot listen on {}:{}: {}: {}", listen.host, listen.port,
                  error.message(), remedy_for(error, listen.port));
    }
  }
  if (!acceptors.empty()) return acceptors;
  return fail(Errc::refused, "cannot listen on {}:{}: {}: {}", listen.host, listen.port,
              missing.message(), remedy_for(missing, listen.port));
}

namespace {

// Text between separators, without empty pieces.
std::vector<std::string_view> pieces(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::vector<std::string> listening_inodes(std::string_view table, std::uint16_t port) {
  constexpr std::string_view listening = "0A";
  const auto wanted = format_text(":{:04X}", port);
  std::vector<std::string> inodes;
  for (const auto line : pieces(table, '\n')) {
    const auto cells = pieces(line, ' ');
    // sl local_address rem_address st queues timer retransmissions uid timeout inode
    if (cells.size() < 10 || cells[3] != listening || !cells[1].ends_with(wanted)) continue;
    inodes.emplace_back(cells[9]);
  }
  return inodes;
}

namespace {

bool has_socket(const std::string& process, const std::vector<std::string>& inodes) {
  const auto folder = "/proc/" + process + "/fd";
  const auto descriptors = os::list_folder(folder);
  if (!descriptors) return false;
  return std::ranges::any_of(*descriptors, [&](const std::string& descriptor) {
    std::array<char, 64> link{};
    const auto length = readlink((folder + "/" + descriptor).c_str(), link.data(), link.size());
    const std::string_view target(link.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    return std::ranges::any_of(
        inodes, [&](const std::string& inode) { return target == "socket:[" + inode + "]"; });
  });
}

}  // namespace

std::optional<std::string> holder_of_port(std::uint16_t port) {
  std::vector<std::string> inodes;
  for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto content = os::read_file(table);
    if (!content) continue;
    for (auto& inode : listening_inodes(*content, port)) inodes.push_back(std::move(inode));
  }
  const auto processes = os::list_folder("/proc");
  if (inodes.empty() || !processes) return std::nullopt;
  for (const auto& process : *processes) {
    const bool is_process = process.find_first_not_of("0123456789") == std::string::npos;
    if (!is_process || !has_socket(process, inodes)) continue;
    auto name = os::read_file("/proc/" + process + "/comm").value_or("?");
    name.erase(name.find_last_not_of('\n') + 1);
    return format_text("{} ({})", process, name);
  }
  return std::nullopt;
}

}  // namespace tanist::rest
