// SPDX-License-Identifier: Apache-2.0
// The forms of HTTP/1.0 and 1.1 on the wire, and answers from the published status.
#include <gtest/gtest.h>

#include <vector>

#include "rest/test_server.h"

namespace tanist::rest {
namespace {

TEST(Http10, BareAnswersAreAStatusLineAndNothingElse) {
  const RestServer rest;
  EXPECT_EQ(rest.exchange("OPTIONS /primary HTTP/1.0\r\n\r\n"), "HTTP/1.0 200 OK\r\n\r\n");
  EXPECT_EQ(rest.exchange("OPTIONS /replica HTTP/1.0\r\n\r\n"),
            "HTTP/1.0 503 Service Unavailable\r\n\r\n");
  EXPECT_EQ(rest.exchange("HEAD /patroni HTTP/1.0\r\n\r\n"),
            "HTTP/1.0 503 Service Unavailable\r\n\r\n");
  EXPECT_EQ(rest.get("/liveness"), "HTTP/1.0 200 OK\r\n\r\n");
  EXPECT_EQ(rest.get("/readiness"), "HTTP/1.0 200 OK\r\n\r\n");
}

TEST(Http10, NormalAnswersEndWithTheConnectionAndNameNoLength) {
  RestSettings settings;
  settings.server_header = "Patroni/4.1.4";
  settings.extra_headers = {{"X-Extra", "yes"}};
  const RestServer rest(settings);
  const auto answer = rest.get("/");
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 200 OK\r\nServer: Patroni/4.1.4\r\nDate: ")) << answer;
  EXPECT_TRUE(
      head_of(answer).ends_with(" GMT\r\nContent-Type: application/json\r\nX-Extra: yes\r\n\r\n"))
      << answer;
  EXPECT_TRUE(body_of(answer).starts_with("{\"state\": \"running\"")) << answer;
}

TEST(Http10, KeepAliveAndExpectAreIgnored) {
  const RestServer rest;
  const auto answer =
      rest.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 200 OK\r\n")) << answer;
}

TEST(Http10, OnlyTheFirstOfPipelinedRequestsIsAnswered) {
  const RestServer rest;
  EXPECT_EQ(rest.exchange("OPTIONS / HTTP/1.0\r\n\r\nOPTIONS /replica HTTP/1.0\r\n\r\n"),
            "HTTP/1.0 200 OK\r\n\r\n");
}

TEST(Http11, BareAnswersSayThatNothingFollows) {
  const RestServer rest;
  EXPECT_EQ(rest.exchange("OPTIONS / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(Http11, ConnectionIsKeptUntilSomebodyCloses) {
  const RestServer rest;
  TestSocket socket(rest.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(socket.send("GET /primary HTTP/1.1\r\nHost: x\r\n\r\n"));
    const auto answer = socket.read_answer();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_FALSE(has(answer, "Connection: close"));
    EXPECT_FALSE(body_of(answer).empty());
  }
  ASSERT_TRUE(socket.send("HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(has(socket.read_all(), "Connection: close"));
  EXPECT_TRUE(socket.closed());
}

TEST(Http11, PipelinedRequestsAreAnsweredInOrder) {
  const RestServer rest;
  TestSocket socket(rest.port());
  ASSERT_TRUE(
      socket.send("GET /primary HTTP/1.1\r\n\r\nOPTIONS /replica HTTP/1.1\r\n\r\n"
                  "GET /config HTTP/1.1\r\n\r\nGET /liv"));
  EXPECT_EQ(code_of(socket.read_answer()), "200");
  EXPECT_EQ(code_of(socket.read_answer()), "503");
  EXPECT_EQ(body_of(socket.read_answer()), "{\"ttl\": 30}");
  ASSERT_TRUE(socket.send("eness HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(socket.read_answer(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(Http11, CodesAndBodiesAreThoseOfHttp10) {
  const RestServer rest;
  for (const std::string target :
       {"/", "/primary", "/replica", "/patroni", "/config", "/history", "/failsafe", "/liveness",
        "/readiness", "/no/such/path", "//primary?lag=1"}) {
    const auto old = rest.get(target);
    const auto newer =
        rest.exchange(format_text("GET {} HTTP/1.1\r\nConnection: close\r\n\r\n", target));
    EXPECT_EQ(code_of(old), code_of(newer)) << target;
    EXPECT_EQ(body_of(old), body_of(newer)) << target;
  }
}

TEST(Http11, LengthIsThatOfTheBody) {
  const RestServer rest;
  for (const std::string target : {"/patroni", "/metrics", "/config"}) {
    const auto answer =
        rest.exchange(format_text("GET {} HTTP/1.1\r\nConnection: close\r\n\r\n", target));
    EXPECT_TRUE(has(head_of(answer), format_text("Content-Length: {}\r\n", body_of(answer).size())))
        << answer;
  }
}

TEST(ErrorPages, CloseTheConnectionInBothVersions) {
  const RestServer rest;
  for (const std::string version : {"1.0", "1.1"}) {
    const auto answer = rest.exchange(format_text("BREW /pot HTTP/{}\r\n\r\n", version));
    EXPECT_TRUE(
        answer.starts_with(format_text("HTTP/{} 501 Unsupported method ('BREW')\r\n", version)))
        << answer;
    EXPECT_TRUE(has(answer, "Connection: close\r\nContent-Type: text/html;charset=utf-8\r\n"));
    EXPECT_TRUE(has(answer, "Server does not support this operation"));
  }
}

// ---- published status --------------------------------------------------------------------------

TEST(Publication, BeforeTheFirstOneChecksFailAndTheStatusPageAnswers) {
  TestLoop loop;
  Server server(RestServer::on_loopback({}),
                {.lease_deadline = [] { return std::nullopt; },
                 .now = os::now,
                 .submit = [&](ApiRequest request) { loop.submit(std::move(request)); }});
  ASSERT_TRUE(server.start());
  for (const auto& [target, code] :
       std::vector<std::pair<std::string, std::string>>{{"/primary", "503"},
                                                        {"/health", "503"},
                                                        {"/liveness", "503"},
                                                        {"/patroni", "200"},
                                                        {"/metrics", "503"},
                                                        {"/failsafe", "502"}}) {
    TestSocket socket(server.port());
    ASSERT_TRUE(socket.send(format_text("GET {} HTTP/1.0\r\n\r\n", target)));
    EXPECT_EQ(code_of(socket.read_all()), code) << target;
  }
}

TEST(Publication, AnswersFollowTheLatestStatus) {
  RestServer rest;
  EXPECT_TRUE(has(rest.get("/patroni"), "\"n1\""));
  rest.server.publish(primary("n2"));
  EXPECT_TRUE(has(rest.get("/patroni"), "\"n2\""));
}

TEST(Publication, LeaseIsAskedForEveryRequest) {
  RestServer rest;
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
  rest.set_lease(os::now() - Duration(1));
  EXPECT_EQ(code_of(rest.get("/primary")), "503");
  rest.set_lease(os::now() + seconds(60));
  EXPECT_EQ(code_of(rest.get("/primary")), "200");
}

TEST(Publication, PastItsTimeEveryCheckFails) {
  RestServer rest;
  auto status = primary();
  status->good_until = os::now();
  rest.server.publish(status);
  for (const std::string target :
       {"/primary", "/health", "/read-only", "/liveness", "/readiness"}) {
    EXPECT_EQ(code_of(rest.get(target)), "503") << target;
  }
  EXPECT_EQ(code_of(rest.get("/patroni")), "200");
}

}  // namespace
}  // namespace tanist::rest
