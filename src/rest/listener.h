// SPDX-License-Identifier: Apache-2.0
// Opening the listening sockets of `restapi.listen`, and saying who holds the port when that
// fails. Blocking (a host name is looked up, /proc is read): not for the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/settings.h"

namespace tanist::rest {

using Acceptor = boost::asio::ip::tcp::acceptor;

// One socket per address of the host; an empty host or `*` is one dual-stack socket, or IPv4 where
// the machine has no IPv6. Connections inherit keepalive (3 s idle, dead after about 10 s).
// Errc::invalid for a name without address, Errc::refused otherwise; the message names address,
// cause (with the process that has the port, if it can be seen) and remedy.
Result<std::vector<std::shared_ptr<Acceptor>>> open_listeners(
    const boost::asio::any_io_executor& executor, const HostPort& listen, int queue_size);

// The inodes of sockets that listen on `port`, from the text of /proc/net/tcp or tcp6.
std::vector<std::string> listening_inodes(std::string_view table, std::uint16_t port);

// "1234 (postgres)": the process that listens on the port, as far as /proc shows it.
std::optional<std::string> holder_of_port(std::uint16_t port);

}  // namespace tanist::rest
