// SPDX-License-Identifier: Apache-2.0
// The server's life: start, other settings, stop.
#include "rest/server.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "rest/test_server.h"

namespace tanist::rest {
namespace {

ServerHooks idle_hooks() {
  return {.lease_deadline = [] { return std::nullopt; },
          .now = os::now,
          .submit = [](const ApiRequest&) {}};
}

TEST(Start, PortInUseNamesAddressProcessAndRemedy) {
  const RestServer rest;
  RestSettings settings;
  settings.listen = {"127.0.0.1", rest.port()};
  Server second(settings, idle_hooks());
  const auto started = second.start();
  ASSERT_FALSE(started);
  const auto& text = started.error().message;
  EXPECT_TRUE(has(text, format_text("127.0.0.1:{}", rest.port()))) << text;
  EXPECT_TRUE(has(text, format_text("process {} (", getpid()))) << text;
  EXPECT_TRUE(has(text, "restapi.listen")) << text;
}

TEST(Start, AddressOfAnotherMachineIsExplained) {
  RestSettings settings;
  settings.listen = {"192.0.2.1", 0};
  Server server(settings, idle_hooks());
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(has(started.error().message, "no interface of this machine"))
      << started.error().message;
}

TEST(Start, MissingCertificateIsNamed) {
  RestSettings settings;
  settings.listen = {"127.0.0.1", 0};
  settings.cert_file = "/nowhere/server.crt";
  Server server(settings, idle_hooks());
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(has(started.error().message, "/nowhere/server.crt")) << started.error().message;
}

TEST(Reconfigure, NewListenerReplacesTheOldOneAndOpenConnectionsStay) {
  RestServer rest;
  const auto old_port = rest.port();
  TestSocket open(old_port);
  ASSERT_TRUE(open.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(open.read_answer()), "200");
  RestSettings settings;
  settings.listen = {"127.0.0.2", 0};
  const auto done = rest.server.reconfigure(settings);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_NE(rest.port(), old_port);
  EXPECT_FALSE(TestSocket(old_port).connected());
  ASSERT_TRUE(open.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(open.read_answer()), "200");
}

TEST(Reconfigure, PortThatIsTakenKeepsTheOldListener) {
  RestServer rest;
  const RestServer other;
  RestSettings settings;
  settings.listen = {"127.0.0.1", other.port()};
  EXPECT_FALSE(rest.server.reconfigure(settings));
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
}

TEST(Reconfigure, SamePortOnAnotherAddressWorks) {
  RestServer rest;
  const auto port = rest.port();
  RestSettings everywhere;
  everywhere.listen = {"127.0.0.1", port};
  ASSERT_TRUE(rest.server.reconfigure(everywhere));
  everywhere.listen = {"*", port};
  const auto done = rest.server.reconfigure(everywhere);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(rest.port(), port);
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
}

TEST(Reconfigure, FailureOnTheSamePortBringsTheOldListenerBack) {
  RestServer rest;
  const auto port = rest.port();
  RestSettings settings;
  settings.listen = {"127.0.0.1", port};
  ASSERT_TRUE(rest.server.reconfigure(settings));
  settings.listen = {"192.0.2.1", port};
  EXPECT_FALSE(rest.server.reconfigure(settings));
  EXPECT_EQ(rest.port(), port);
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
}

TEST(Reconfigure, NewPasswordCountsForOpenConnections) {
  RestServer rest;
  TestSocket open(rest.port());
  ASSERT_TRUE(open.send("POST /sigterm HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(open.read_answer()), "202");
  auto settings = RestServer::on_loopback({});
  settings.username = "admin";
  settings.password = Secret("s3cret");
  ASSERT_TRUE(rest.server.reconfigure(settings));
  ASSERT_TRUE(open.send("POST /sigterm HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(open.read_answer()), "401");
}

TEST(Stop, EndsBusyAndIdleConnectionsInTime) {
  RestServer rest;
  std::vector<std::unique_ptr<TestSocket>> sockets;
  for (int i = 0; i < 20; ++i) {
    sockets.push_back(std::make_unique<TestSocket>(rest.port()));
    if (i % 2 == 0) {
      ASSERT_TRUE(sockets.back()->send("GET /cluster HTTP/1.0\r\n\r\n"));
      rest.loop.next();
    }
  }
  const auto begun = os::now();
  rest.server.stop();
  EXPECT_LT(os::now() - begun, seconds(2));
  for (const auto& socket : sockets) {
    EXPECT_EQ(socket->read_all(), "");
    EXPECT_TRUE(socket->closed());
  }
  EXPECT_FALSE(TestSocket(rest.port()).connected());
  rest.server.stop();
  EXPECT_FALSE(rest.server.reconfigure({}));
  EXPECT_FALSE(rest.server.reload_certificate());
}

TEST(Stop, WorksWithoutStartAndWhileClientsHammer) {
  {
    Server never(RestServer::on_loopback({}), idle_hooks());
  }
  RestServer rest;
  std::atomic<bool> done = false;
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      while (!done) {
        TestSocket socket(rest.port());
        if (socket.send("GET /patroni HTTP/1.0\r\n\r\n")) socket.read_all();
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    rest.server.publish(primary());
    rest.set_lease(os::now() + seconds(i));
    std::this_thread::yield();
  }
  EXPECT_EQ(code_of(rest.get("/patroni")), "200");
  const auto begun = os::now();
  rest.server.stop();
  EXPECT_LT(os::now() - begun, seconds(2));
  done = true;
  for (auto& client : clients) client.join();
}

TEST(Stop, LeavesNoThreadBehind) {
  const auto threads = [] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
      count += entry.exists() ? 1 : 0;
    }
    return count;
  };
  const auto before = threads();
  {
    const RestServer rest;
    EXPECT_EQ(threads(), before + 1);
  }
  EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace tanist::rest
