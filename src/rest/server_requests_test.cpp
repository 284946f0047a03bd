// SPDX-License-Identifier: Apache-2.0
// Requests that the agent's loop answers, or does not.
#include <gtest/gtest.h>

#include <thread>

#include "rest/test_server.h"

namespace tanist::rest {
namespace {

TEST(Requests, LoopGetsTheBodyAndItsReplyIsTheAnswer) {
  RestServer rest;
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send(post("/switchover", R"({"leader": "n1", "candidate": "n2"})")));
  const auto request = rest.loop.next();
  EXPECT_EQ(request.endpoint, ApiEndpoint::switchover);
  EXPECT_EQ(request.body, Tree::map({{"leader", "n1"}, {"candidate", "n2"}}));
  rest.server.reply({.id = request.id, .status = 412, .body = "leader name does not match"});
  const auto answer = socket.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 412 Precondition Failed\r\n")) << answer;
  EXPECT_TRUE(has(answer, "Content-Type: text/html\r\n"));
  EXPECT_EQ(body_of(answer), "leader name does not match");
}

TEST(Requests, FailsafeAnswersWithThePosition) {
  RestServer rest;
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send(post("/failsafe", R"({"name": "n2"})")));
  const auto request = rest.loop.next();
  EXPECT_EQ(request.endpoint, ApiEndpoint::failsafe);
  rest.server.reply({.id = request.id, .body = "Accepted", .lsn = "100"});
  const auto answer = socket.read_all();
  EXPECT_TRUE(has(answer, "\r\nlsn: 100\r\n")) << answer;
  EXPECT_EQ(body_of(answer), "Accepted");
}

TEST(Requests, OptionalBodyMayBeMissing) {
  RestServer rest;
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send("POST /restart HTTP/1.0\r\n\r\n"));
  const auto request = rest.loop.next();
  EXPECT_EQ(request.endpoint, ApiEndpoint::restart);
  EXPECT_EQ(request.body, Tree::map());
  rest.server.reply({.id = request.id, .body = "restarted successfully"});
  EXPECT_EQ(code_of(socket.read_all()), "200");
}

TEST(Requests, BadBodyStartsNothing) {
  RestServer rest;
  EXPECT_EQ(code_of(rest.exchange(post("/reinitialize", "not JSON"))), "400");
  EXPECT_EQ(code_of(rest.exchange(post("/reinitialize", "[]"))), "400");
  EXPECT_EQ(code_of(rest.exchange(post("/restart", "5"))), "400");
  EXPECT_EQ(code_of(rest.exchange(post("/switchover", "{}"))), "400");
  EXPECT_EQ(code_of(rest.exchange("POST /switchover HTTP/1.0\r\n\r\n")), "411");
  EXPECT_EQ(code_of(rest.exchange("PATCH /config HTTP/1.0\r\nContent-Length: 0\r\n\r\n")), "400");
  EXPECT_EQ(rest.loop.waiting(), 0U);
}

TEST(Requests, SilentLoopMeans503AndALateReplyIsDropped) {
  RestServer rest({}, {.loop_answer = milliseconds(100),
                       .loop_outcome = milliseconds(50),
                       .loop_outcome_max = milliseconds(150)});
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send("GET /cluster HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(socket.read_answer()), "503");
  rest.server.reply({.id = rest.loop.next().id, .body = "too late"});
  rest.server.reply({.id = RequestId(987654321), .body = "nobody asked"});
  ASSERT_TRUE(socket.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(socket.read_answer(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(has(rest.exchange(post("/switchover", R"({"leader": "n1"})")),
                  "Switchover status unknown after 0 seconds; operation may still be in progress"));
  EXPECT_TRUE(
      has(rest.get("/metrics"), "tanist_rest_unanswered_total{scope=\"demo\",name=\"n1\"} 2"));
}

TEST(Requests, LivingLoopMayTakeItsTimeForARestart) {
  RestServer rest({}, {.loop_outcome = milliseconds(50)});
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send("POST /restart HTTP/1.0\r\n\r\n"));
  const auto request = rest.loop.next();
  std::this_thread::sleep_for(milliseconds(300));
  rest.server.reply({.id = request.id, .body = "restarted successfully"});
  EXPECT_EQ(body_of(socket.read_all()), "restarted successfully");
}

TEST(Requests, DeadLoopIsNotWaitedForLonger) {
  RestServer rest({}, {.loop_outcome = milliseconds(50)});
  auto status = primary();
  status->good_until = os::now();
  rest.server.publish(status);
  EXPECT_TRUE(has(rest.exchange(post("/switchover", R"({"leader": "n1"})")), "status unknown"));
}

TEST(Requests, ChecksAreAnsweredWhileOthersWaitForTheLoop) {
  RestServer rest;
  TestSocket waiting(rest.port());
  ASSERT_TRUE(waiting.send("GET /cluster HTTP/1.0\r\n\r\n"));
  const auto request = rest.loop.next();
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
  rest.server.reply({.id = request.id, .form = ApiForm::json, .body = "{}"});
  EXPECT_EQ(body_of(waiting.read_all()), "{}");
}

TEST(Requests, OnlySoManyMayWaitForTheLoop) {
  RestServer rest({}, {.waiting = 1});
  TestSocket waiting(rest.port());
  ASSERT_TRUE(waiting.send("GET /cluster HTTP/1.0\r\n\r\n"));
  const auto request = rest.loop.next();
  const auto refused = rest.get("/cluster");
  EXPECT_EQ(code_of(refused), "503");
  EXPECT_EQ(body_of(refused), "too many requests wait for the agent");
  rest.server.reply({.id = request.id, .body = "done"});
  EXPECT_EQ(body_of(waiting.read_all()), "done");
}

TEST(Requests, ClientThatWentAwayIsForgotten) {
  RestServer rest;
  {
    TestSocket socket(rest.port());
    ASSERT_TRUE(socket.send("GET /cluster HTTP/1.0\r\n\r\n"));
    const auto request = rest.loop.next();
    rest.server.reply({.id = request.id, .body = "nobody reads this"});
  }
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
}

}  // namespace
}  // namespace tanist::rest
