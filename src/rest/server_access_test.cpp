// SPDX-License-Identifier: Apache-2.0
// Access rules as a caller meets them, with addresses and names of real connections.
#include <gtest/gtest.h>

#include "rest/test_server.h"

namespace tanist::rest {
namespace {

TEST(AccessOverSockets, RefusalComesBeforeTheBodyIsRead) {
  RestSettings settings;
  settings.username = "admin";
  settings.password = Secret("s3cret");
  RestServer rest(settings);
  const auto refused = rest.exchange(post("/switchover", std::string(900000, 'x')));
  EXPECT_EQ(code_of(refused), "401");
  EXPECT_TRUE(has(refused, "WWW-Authenticate: Basic realm=\"Patroni\"\r\n"));
  EXPECT_EQ(body_of(refused), "no auth header received");
  EXPECT_EQ(body_of(rest.exchange(post("/reload", "", "Authorization: Basic eDp5\r\n"))),
            "not authenticated");
  EXPECT_EQ(rest.loop.waiting(), 0U);
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send(post("/reload", "", "Authorization: Basic YWRtaW46czNjcmV0\r\n")));
  rest.server.reply({.id = rest.loop.next().id, .status = 202, .body = "reload scheduled"});
  EXPECT_EQ(code_of(socket.read_all()), "202");
}

TEST(AccessOverSockets, ReadingIsOpenToEverybody) {
  RestSettings settings;
  settings.username = "admin";
  settings.password = Secret("s3cret");
  settings.allowlist = {"192.0.2.1"};
  const RestServer rest(settings);
  for (const std::string target : {"/", "/patroni", "/config", "/metrics", "/liveness"}) {
    EXPECT_EQ(code_of(rest.get(target)), "200") << target;
  }
}

std::string sigterm_from(const RestServer& rest, const char* address) {
  TestSocket socket(rest.port(), address);
  EXPECT_TRUE(socket.send("POST /sigterm HTTP/1.0\r\n\r\n"));
  return code_of(socket.read_all());
}

TEST(AccessOverSockets, AllowlistLooksAtTheCallersAddress) {
  RestSettings settings;
  settings.allowlist = {"127.0.0.2"};
  const RestServer rest(settings);
  EXPECT_EQ(sigterm_from(rest, "127.0.0.2"), "202");
  EXPECT_EQ(sigterm_from(rest, "127.0.0.3"), "403");
}

TEST(AccessOverSockets, Ipv4CallerOfADualStackSocketIsKnownByItsIpv4Address) {
  RestSettings settings;
  settings.listen = {"*", 0};
  settings.allowlist = {"127.0.0.2"};
  const RestServer rest(settings);
  EXPECT_EQ(sigterm_from(rest, "127.0.0.2"), "202");
  EXPECT_EQ(sigterm_from(rest, "127.0.0.3"), "403");
}

TEST(AccessOverSockets, NamesOfTheAllowlistAreLookedUp) {
  RestSettings settings;
  settings.allowlist = {"localhost"};
  const RestServer rest(settings);
  EXPECT_EQ(sigterm_from(rest, "127.0.0.1"), "202");
  EXPECT_EQ(sigterm_from(rest, "127.0.0.3"), "403");
}

TEST(AccessOverSockets, MembersOfTheLastViewAreAllowed) {
  RestSettings settings;
  settings.allowlist_include_members = true;
  RestServer rest(settings);
  EXPECT_EQ(sigterm_from(rest, "127.0.0.2"), "403");
  auto status = primary();
  status->members_hosts = "127.0.0.2,localhost";
  rest.server.publish(status);
  EXPECT_EQ(sigterm_from(rest, "127.0.0.2"), "202");
  EXPECT_EQ(sigterm_from(rest, "127.0.0.1"), "202");
  auto blind = primary();
  blind->members_hosts = "127.0.0.2";
  blind->view_valid = false;
  rest.server.publish(blind);
  EXPECT_EQ(sigterm_from(rest, "127.0.0.2"), "403");
}

}  // namespace
}  // namespace tanist::rest
