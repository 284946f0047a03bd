// SPDX-License-Identifier: Apache-2.0
// What a server's first words mean, from text and from real servers.
#include "sql/readiness.h"

#include <gtest/gtest.h>

#include "os/run_loop.h"
#include "sql/test_server.h"

namespace tanist::sql {
namespace {

using namespace std::string_literals;

std::string error_message(const std::string& sqlstate) {
  return "E\0\0\0\x40SFATAL\0VFATAL\0C"s + sqlstate + "\0Mnot now\0\0"s;
}

TEST(ReadinessAnswer, IsReadFromTheFirstMessage) {
  EXPECT_EQ(read_answer("R\0\0\0\x08\0\0\0\0"s), Answer::accepting);
  EXPECT_EQ(read_answer(error_message("57P03")), Answer::rejecting);
  EXPECT_EQ(read_answer(error_message("28000")), Answer::accepting);
  EXPECT_EQ(read_answer(error_message("53300")), Answer::accepting);
  EXPECT_EQ(read_answer("HTTP/1.1 400"), Answer::unknown);
}

TEST(ReadinessAnswer, NeedsMoreBytesWhenTheMessageIsCutAnywhere) {
  const auto whole = error_message("57P03");
  for (std::size_t length = 0; length < whole.find("57P03") + 6; ++length) {
    EXPECT_EQ(read_answer(whole.substr(0, length)), std::nullopt) << length;
  }
  EXPECT_EQ(read_answer("E" + std::string(40000, 'x')), Answer::unknown);
  EXPECT_EQ(read_answer("E\0\0\0\x05\0"s), Answer::unknown);
}

TEST(ReadinessAnswer, StartupMessageHasItsLengthFirst) {
  const auto message = startup_message("u", "db");
  EXPECT_EQ(message, "\0\0\0\x1c\0\x03\0\0user\0u\0database\0db\0\0"s);
}

class Readiness : public testing::Test {
 protected:
  Answer ask(const std::string& address, std::uint16_t port) {
    return os::run_until_done(
        loop, probe({address, port, "nobody", "nowhere"}, os::Limit{}.within(seconds{3})));
  }
  boost::asio::io_context loop;
};

TEST_F(Readiness, NobodyListens) {
  EXPECT_EQ(ask(own_address(), free_port()), Answer::none);
  EXPECT_EQ(ask("/no/such/folder", 5432), Answer::none);
  EXPECT_EQ(ask("a name", 5432), Answer::unknown);
}

TEST_F(Readiness, ASilentListenerIsNoAnswer) {
  const os::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(socket.get(), 5), 0);
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  const ProbeTarget target{"127.0.0.1", ntohs(address.sin_port), "u", "d"};
  EXPECT_EQ(os::run_until_done(loop, probe(target, os::Limit{}.within(milliseconds{100}))),
            Answer::none);
}

TEST_F(Readiness, ARunningServerAcceptsEvenAnUnknownUser) {
  TANIST_NEEDS_SERVER();
  const TestServer server;
  EXPECT_EQ(ask(server.address, server.port), Answer::accepting);
  EXPECT_EQ(ask(server.folder.path(), server.port), Answer::accepting);
}

TEST_F(Readiness, AStandbyBeforeItsConsistentStateRejects) {
  TANIST_NEEDS_SERVER();
  TestServer server("hot_standby=off\nrestore_command='false'");
  server.stop("fast");
  std::ofstream(server.data() + "/standby.signal");
  server.start();
  EXPECT_EQ(ask(server.address, server.port), Answer::rejecting);
}

}  // namespace
}  // namespace tanist::sql
