// SPDX-License-Identifier: Apache-2.0
// What strangers send: garbage, smuggled requests, slowness, crowds; checks are answered through
// all of it.
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "rest/test_server.h"

namespace tanist::rest {
namespace {

TEST(Garbage, IsAnsweredWithAnErrorPage) {
  const RestServer rest;
  EXPECT_EQ(code_of(rest.exchange("\x16\x03\x01\x02\x00\x01\x00\x01\xfc")), "400");
  EXPECT_EQ(code_of(rest.exchange("hello world\r\n\r\n")), "400");
  EXPECT_EQ(code_of(rest.exchange("GET / HTTP/1.1\r\nno colon here\r\n\r\n")), "400");
  EXPECT_EQ(code_of(rest.exchange("GET / HTTP/1.1\r\nA: b\r\n c: folded\r\n bad\x01\r\n\r\n")),
            "400");
  EXPECT_EQ(code_of(rest.exchange("GET /\x7f HTTP/1.1\r\n\r\n")), "400");
}

TEST(Garbage, OtherVersionsAre505) {
  const RestServer rest;
  EXPECT_EQ(code_of(rest.exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")), "505");
  EXPECT_EQ(code_of(rest.exchange("GET / HTTP/3.0\r\n\r\n")), "505");
}

TEST(Garbage, OversizedHeadsAndBodiesAreRefused) {
  RestServer rest;
  EXPECT_EQ(code_of(rest.exchange("GET /" + std::string(20000, 'a') + " HTTP/1.0\r\n\r\n")), "431");
  EXPECT_EQ(code_of(rest.exchange("GET / HTTP/1.0\r\nX: " + std::string(20000, 'a') + "\r\n\r\n")),
            "431");
  EXPECT_EQ(code_of(rest.exchange(post("/switchover", std::string(1048577, ' ')))), "413");
  EXPECT_EQ(code_of(rest.exchange(
                "POST /switchover HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n")),
            "400");
  EXPECT_EQ(rest.loop.waiting(), 0U);
}

TEST(Garbage, LargestBodyIsTaken) {
  RestServer rest;
  TestSocket socket(rest.port());
  const std::string start = R"({"leader": "n1)";
  ASSERT_TRUE(socket.send(
      post("/switchover", start + std::string(1048576 - start.size() - 2, 'x') + "\"}")));
  const auto request = rest.loop.next();
  EXPECT_GT(request.body.find("leader")->as_string()->size(), 1000000U);
  rest.server.reply({.id = request.id, .body = "ok"});
  EXPECT_EQ(body_of(socket.read_all()), "ok");
}

TEST(Garbage, RequestsThatTwoPartiesCouldReadDifferentlyAreRefused) {
  RestServer rest;
  const std::string hidden = "GET /primary HTTP/1.1\r\n\r\n";
  for (const std::string headers :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n", "Content-Length: +5\r\n", "Content-Length: 0x5\r\n",
        "Content-Length: -1\r\n", "Content-Length:\r\n", "Content-Length : 5\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding:\tchunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"}) {
    const auto answer =
        rest.exchange(format_text("POST /restart HTTP/1.1\r\n{}\r\n{{   }}{}", headers, hidden));
    const auto code = code_of(answer);
    EXPECT_TRUE(code == "400" || code == "411") << headers << answer;
    EXPECT_EQ(answer.find("HTTP/1.", 1), std::string::npos) << headers << answer;
  }
  EXPECT_EQ(rest.loop.waiting(), 0U);
}

TEST(Garbage, BodyOfAGetIsNotTakenForARequest) {
  const RestServer rest;
  const std::string hidden = "GET /replica HTTP/1.1\r\n\r\n";
  const auto answer = rest.exchange(
      format_text("GET /primary HTTP/1.1\r\nContent-Length: {}\r\n\r\n{}", hidden.size(), hidden));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(has(answer, "Connection: close"));
  EXPECT_FALSE(has(answer, "503"));
}

// ---- slowness and crowds -----------------------------------------------------------------------

TEST(Slowness, HeadThatDribblesInIsRefusedInTime) {
  const RestServer rest({}, {.request = milliseconds(200)});
  TestSocket socket(rest.port());
  const auto begun = os::now();
  ASSERT_TRUE(socket.send("GET / HTTP/1.1\r\nX-A: "));
  while (os::now() - begun < milliseconds(150)) {
    ASSERT_TRUE(socket.send("b"));
    std::this_thread::sleep_for(milliseconds(10));
  }
  const auto answer = socket.read_all();
  EXPECT_EQ(code_of(answer), "408") << answer;
  EXPECT_LT(os::now() - begun, seconds(2));
}

TEST(Slowness, SilentConnectionIsClosedWithoutAWord) {
  const RestServer rest({}, {.request = milliseconds(100)});
  TestSocket socket(rest.port());
  EXPECT_EQ(socket.read_all(), "");
  EXPECT_TRUE(socket.closed());
}

TEST(Slowness, BodyThatDoesNotComeStartsNothing) {
  RestServer rest({}, {.request = milliseconds(100)});
  EXPECT_EQ(code_of(rest.exchange("POST /switchover HTTP/1.1\r\nContent-Length: 50\r\n\r\n{")),
            "408");
  EXPECT_EQ(rest.loop.waiting(), 0U);
}

TEST(Slowness, BodyThatEndsEarlyStartsNothing) {
  RestServer rest;
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send("POST /restart HTTP/1.1\r\nContent-Length: 50\r\n\r\n{}"));
  socket.finish_sending();
  EXPECT_EQ(code_of(socket.read_all()), "400");
  EXPECT_EQ(rest.loop.waiting(), 0U);
}

TEST(Slowness, IdleConnectionIsClosedAfterItsTime) {
  const RestServer rest({}, {.idle = milliseconds(100)});
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(socket.read_answer()), "200");
  EXPECT_EQ(socket.read_all(), "");
  EXPECT_TRUE(socket.closed());
}

TEST(Slowness, ClientThatDoesNotReadIsClosed) {
  const RestServer rest({}, {.write = milliseconds(200)});
  TestSocket socket(rest.port());
  const int small = 4096;
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  const timeval soon{0, 100000};
  setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "GET /metrics HTTP/1.1\r\n\r\n";
  bool sent = true;
  const auto begun = os::now();
  while (sent && os::now() - begun < seconds(5)) sent = socket.send(many);
  EXPECT_FALSE(sent);
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
}

TEST(Crowd, LongestIdleConnectionMakesRoomForAHealthCheck) {
  const RestServer rest({}, {.connections = 3});
  TestSocket first(rest.port());
  ASSERT_TRUE(first.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(first.read_answer()), "200");
  TestSocket second(rest.port());
  ASSERT_TRUE(second.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(second.read_answer()), "200");
  TestSocket third(rest.port());
  ASSERT_TRUE(third.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(third.read_answer()), "200");
  ASSERT_TRUE(first.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(first.read_answer()), "200");
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
  EXPECT_EQ(second.read_all(), "");
  EXPECT_TRUE(second.closed());
  ASSERT_TRUE(first.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(first.read_answer()), "200");
}

TEST(Crowd, ChecksAreAnsweredThroughAFloodOfSilentConnections) {  // trap 123
  const RestServer rest({}, {.connections = 20});
  std::vector<std::unique_ptr<TestSocket>> flood;
  for (int i = 0; i < 200; ++i) flood.push_back(std::make_unique<TestSocket>(rest.port()));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(code_of(rest.get("/primary")), "200");
}

TEST(Crowd, RequestsThatWaitForTheLoopAreNotClosedForNewOnes) {
  RestServer rest({}, {.connections = 2});
  TestSocket waiting(rest.port());
  ASSERT_TRUE(waiting.send("GET /cluster HTTP/1.0\r\n\r\n"));
  const auto request = rest.loop.next();
  for (int i = 0; i < 5; ++i) {
    TestSocket silent(rest.port());
    EXPECT_EQ(code_of(rest.get("/primary")), "200");
  }
  rest.server.reply({.id = request.id, .body = "done"});
  EXPECT_EQ(body_of(waiting.read_all()), "done");
}

}  // namespace
}  // namespace tanist::rest
