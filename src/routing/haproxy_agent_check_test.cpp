// SPDX-License-Identifier: Apache-2.0
// HAProxy's agent-check, asked as HAProxy asks.
#include "routing/haproxy_agent_check.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "os/descriptor.h"

namespace tanist::routing {
namespace {

// A port that was free a moment ago.
std::uint16_t free_port() {
  const os::Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

std::string ask(boost::asio::io_context& loop, std::uint16_t port, std::string_view sent = {}) {
  const os::Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  if (!sent.empty()) EXPECT_GT(::send(socket.get(), sent.data(), sent.size(), 0), 0);
  loop.restart();
  loop.run_for(milliseconds(20));
  std::string text(64, '\0');
  const auto got = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

TEST(HaproxyAgentCheck, EachAnswerIsWorkedOutAnew) {
  boost::asio::io_context loop;
  const auto port = free_port();
  bool up = true;
  auto check =
      HaproxyAgentCheck::open(loop.get_executor(), {"127.0.0.1", port}, [&] { return up; });
  ASSERT_TRUE(check) << check.error().message;
  EXPECT_EQ(ask(loop, port), "up\n");
  up = false;
  EXPECT_EQ(ask(loop, port), "down\n");
  EXPECT_EQ(ask(loop, port, "agent-send\n"), "down\n");
}

TEST(HaproxyAgentCheck, ATakenPortIsNamed) {
  boost::asio::io_context loop;
  const HostPort here{"127.0.0.1", free_port()};
  auto first = HaproxyAgentCheck::open(loop.get_executor(), here, [] { return true; });
  ASSERT_TRUE(first);
  const auto second = HaproxyAgentCheck::open(loop.get_executor(), here, [] { return true; });
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("routing.agent_check"), std::string::npos);
  EXPECT_NE(second.error().message.find(std::to_string(here.port)), std::string::npos);
}

}  // namespace
}  // namespace tanist::routing
