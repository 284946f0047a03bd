// SPDX-License-Identifier: Apache-2.0
// Listening sockets and the search for who holds a port.
#include "rest/listener.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

namespace tanist::rest {
namespace {

namespace asio = boost::asio;

Result<std::vector<std::shared_ptr<Acceptor>>> open(asio::io_context& io, const HostPort& listen) {
  return open_listeners(io.get_executor(), listen, 5);
}

TEST(Listener, EverywhereIsOneSocketForBothFamilies) {
  asio::io_context io;
  for (const std::string host : {"", "*"}) {
    const auto opened = open(io, {host, 0});
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_EQ(opened->size(), 1U);
    const auto port = opened->front()->local_endpoint().port();
    asio::ip::tcp::socket client(io);
    boost::system::error_code error;
    client.connect({asio::ip::make_address("127.0.0.1"), port}, error);
    EXPECT_FALSE(error) << error.message();
  }
}

TEST(Listener, NameGetsASocketPerAddress) {
  asio::io_context io;
  const auto opened = open(io, {"localhost", 0});
  ASSERT_TRUE(opened) << opened.error().message;
  for (const auto& acceptor : *opened) {
    EXPECT_TRUE(acceptor->local_endpoint().address().is_loopback());
  }
}

TEST(Listener, UnknownNameIsAnErrorOfTheSetting) {
  asio::io_context io;
  const auto opened = open(io, {"no-such-host.invalid", 8008});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::invalid);
  EXPECT_NE(opened.error().message.find("restapi.listen"), std::string::npos);
  EXPECT_NE(opened.error().message.find("no-such-host.invalid"), std::string::npos);
}

TEST(Listener, AcceptedConnectionsAreWatchedByTheKernel) {
  asio::io_context io;
  const auto opened = open(io, {"127.0.0.1", 0});
  ASSERT_TRUE(opened);
  asio::ip::tcp::socket client(io);
  client.connect(opened->front()->local_endpoint());
  auto accepted = opened->front()->accept();
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    getsockopt(accepted.native_handle(), level, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 2);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 10000);
  EXPECT_NE(option(IPPROTO_TCP, TCP_NODELAY), 0);
}

TEST(PortHolder, IsThisProcess) {
  asio::io_context io;
  const auto opened = open(io, {"127.0.0.1", 0});
  ASSERT_TRUE(opened);
  const auto holder = holder_of_port(opened->front()->local_endpoint().port());
  ASSERT_TRUE(holder);
  EXPECT_EQ(*holder, std::to_string(getpid()) + " (rest_test)");
}

TEST(PortHolder, OfAFreePortIsNobody) {
  asio::io_context io;
  std::uint16_t port = 0;
  {
    const auto opened = open(io, {"127.0.0.1", 0});
    ASSERT_TRUE(opened);
    port = opened->front()->local_endpoint().port();
  }
  EXPECT_EQ(holder_of_port(port), std::nullopt);
}

TEST(ListeningInodes, TakeListeningSocketsOfThePortOnly) {
  constexpr std::string_view table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:1F48 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "111 1 0000000000000000 100 0 0 10 0\n"
      "   1: 0100007F:1F48 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 "
      "222 1 0000000000000000 100 0 0 10 0\n"
      "   2: 0100007F:1F49 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "333 1 0000000000000000 100 0 0 10 0\n"
      "   3: 00000000:1F48 00000000:0000 0A 0";
  EXPECT_EQ(listening_inodes(table, 8008), std::vector<std::string>{"111"});
  EXPECT_TRUE(listening_inodes("", 8008).empty());
  EXPECT_TRUE(listening_inodes("\n \n", 8008).empty());
}

}  // namespace
}  // namespace tanist::rest
