// SPDX-License-Identifier: Apache-2.0
// The server over real sockets on loopback, plain and TLS.
#include "rest/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/format.h"
#include "os/clock.h"
#include "rest/test_certificates.h"
#include "rest/test_socket.h"

namespace tanist::rest {
namespace {

// Stands for the agent's loop: keeps what it is asked until the test answers.
class Loop {
 public:
  void submit(ApiRequest request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    changed_.notify_all();
  }

  ApiRequest next() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, seconds(patience_seconds), [this] { return !requests_.empty(); }));
    if (requests_.empty()) return {};
    auto request = std::move(requests_.front());
    requests_.pop_front();
    return request;
  }

  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return requests_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ApiRequest> requests_;
};

std::shared_ptr<Status> primary(std::string_view name = "n1") {
  auto status = std::make_shared<Status>();
  status->document = Tree::map(
      {{"state", "running"},
       {"role", "primary"},
       {"patroni", Tree::map({{"version", "4.1.4"}, {"scope", "demo"}, {"name", name}})}});
  status->config = Tree::map({{"ttl", 30}});
  status->history = Tree::list();
  status->failsafe = Tree::map({{"n1", "http://127.0.0.1:8008/patroni"}});
  status->state = status->internal_state = ServerState::running;
  status->role = Role::primary;
  status->in_recovery = false;
  status->holds_lock = true;
  status->view_valid = true;
  status->next_run = os::now();
  status->good_until = os::now() + seconds(3600);
  return status;
}

class RestServer {
 public:
  explicit RestServer(RestSettings settings = {}, ServerLimits limits = {})
      : lease_(os::now() + seconds(3600)),
        server(on_loopback(std::move(settings)), hooks(), limits) {
    const auto started = server.start();
    EXPECT_TRUE(started) << started.error().message;
    server.publish(primary());
  }

  static RestSettings on_loopback(RestSettings settings) {
    if (settings.listen.host.empty()) settings.listen = {"127.0.0.1", 0};
    return settings;
  }

  std::uint16_t port() const { return server.port(); }
  void set_lease(Instant end) { lease_ = end; }

  // Sends the text on a connection of its own and reads until the server closes.
  std::string exchange(std::string_view text) const {
    TestSocket socket(port());
    EXPECT_TRUE(socket.send(text));
    auto answer = socket.read_all();
    EXPECT_TRUE(socket.closed()) << "the server kept the connection open after: " << text;
    return answer;
  }

  std::string get(std::string_view target) const {
    return exchange(format_text("GET {} HTTP/1.0\r\n\r\n", target));
  }

 private:
  ServerHooks hooks() {
    return {.lease_deadline = [this] { return std::optional(lease_.load()); },
            .now = os::now,
            .submit = [this](ApiRequest request) { loop.submit(std::move(request)); }};
  }

  std::atomic<Instant> lease_;

 public:
  Loop loop;
  Server server;
};

std::string head_of(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n\r\n") + 4);
}

std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

std::string code_of(const std::string& answer) {
  return answer.size() > 12 ? answer.substr(9, 3) : "none: " + answer;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
  return format_text("POST {} HTTP/1.0\r\nContent-Length: {}\r\n{}\r\n{}", path, body.size(), more,
                     body);
}

// ---- forms of HTTP/1.0 and 1.1 -----------------------------------------------------------------

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
  Loop loop;
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

// ---- requests for the loop ---------------------------------------------------------------------

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
  RestServer rest({}, {.loop_answer = milliseconds(100), .loop_outcome = milliseconds(150)});
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

// ---- what must not be understood ---------------------------------------------------------------

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

TEST(Crowd, ChecksAreAnsweredThroughAFloodOfSilentConnections) {
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

// ---- access ------------------------------------------------------------------------------------

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

// ---- TLS ---------------------------------------------------------------------------------------

class RestTls : public testing::Test {
 protected:
  RestSettings settings(VerifyClient verify = VerifyClient::none) const {
    RestSettings settings;
    settings.cert_file = server_.certificate;
    settings.key_file = server_.key;
    settings.ca_file = authority_.ca_file();
    settings.verify_client = verify;
    return settings;
  }

  // The answer over TLS, or "refused".
  static std::string exchange(const RestServer& rest, std::string_view text,
                              const TestTls& tls = TestTls()) {
    TestSocket socket(rest.port());
    if (!socket.start_tls(tls.get()) || !socket.send(text)) return "refused";
    const auto answer = socket.read_all();
    return answer.empty() ? "refused" : answer;
  }

  static long serial_of(const TestSocket& socket) {
    X509* certificate = SSL_get1_peer_certificate(socket.ssl());
    const long serial = ASN1_INTEGER_get(X509_get0_serialNumber(certificate));
    X509_free(certificate);
    return serial;
  }

  const CertificateAuthority authority_{"test CA"};
  const CertificateFiles server_ = authority_.issue({.name = "server", .serial = 10});
};

TEST_F(RestTls, AnswersAreThoseOfPlainHttp) {
  const RestServer rest(settings());
  EXPECT_EQ(exchange(rest, "OPTIONS / HTTP/1.0\r\n\r\n"), "HTTP/1.0 200 OK\r\n\r\n");
  EXPECT_EQ(code_of(exchange(rest, "GET /patroni HTTP/1.0\r\n\r\n")), "200");
}

TEST_F(RestTls, EndOfAnAnswerIsSaidSoThatNobodySuspectsACut) {
  const RestServer rest(settings());
  TestSocket socket(rest.port());
  const TestTls tls;
  ASSERT_TRUE(socket.start_tls(tls.get()));
  ASSERT_TRUE(socket.send("GET /patroni HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(socket.read_all().empty());
  EXPECT_NE(SSL_get_shutdown(socket.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
}

TEST_F(RestTls, ConnectionsAreKeptAlive) {
  const RestServer rest(settings());
  TestSocket socket(rest.port());
  const TestTls tls;
  ASSERT_TRUE(socket.start_tls(tls.get()));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(socket.send("GET /primary HTTP/1.1\r\n\r\n"));
    EXPECT_EQ(code_of(socket.read_answer()), "200");
  }
}

TEST_F(RestTls, SilentClientHoldsUpNobodyAndIsClosed) {
  const RestServer rest(settings(), {.handshake = milliseconds(200)});
  TestSocket silent(rest.port());
  EXPECT_EQ(code_of(exchange(rest, "GET / HTTP/1.0\r\n\r\n")), "200");
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_TRUE(silent.closed());
}

TEST_F(RestTls, PlainHttpIsNotAnswered) {
  const RestServer rest(settings());
  TestSocket socket(rest.port());
  ASSERT_TRUE(socket.send("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(has(socket.read_all(), "HTTP/1.0"));
  EXPECT_TRUE(socket.closed());
}

struct CertificateRow {
  VerifyClient verify;
  std::string certificate;  // "", "good", "foreign"
  std::string read;
  std::string write;
};

TEST_F(RestTls, ClientCertificatesAreAskedForAsConfigured) {
  const auto good = authority_.issue({.name = "client"});
  const CertificateAuthority other("another CA");
  const auto foreign = other.issue({.name = "client"});
  const std::vector<CertificateRow> rows{
      {VerifyClient::none, "", "200", "202"},
      {VerifyClient::none, "foreign", "200", "202"},
      {VerifyClient::optional, "", "200", "403"},
      {VerifyClient::optional, "good", "200", "202"},
      {VerifyClient::optional, "foreign", "refused", "refused"},
      {VerifyClient::required, "", "refused", "refused"},
      {VerifyClient::required, "good", "200", "202"},
      {VerifyClient::required, "foreign", "refused", "refused"},
  };
  for (const auto& row : rows) {
    const RestServer rest(settings(row.verify));
    const auto& files = row.certificate == "good" ? good : foreign;
    const TestTls tls(row.certificate.empty() ? "" : files.certificate, files.key);
    const auto code = [](const std::string& answer) {
      return answer == "refused" ? answer : code_of(answer);
    };
    EXPECT_EQ(code(exchange(rest, "GET / HTTP/1.0\r\n\r\n", tls)), row.read) << row.certificate;
    EXPECT_EQ(code(exchange(rest, "POST /sigterm HTTP/1.0\r\n\r\n", tls)), row.write)
        << row.certificate;
  }
}

TEST_F(RestTls, WithoutCaNoClientCertificateIsValid) {
  const auto good = authority_.issue({.name = "client"});
  auto without = settings(VerifyClient::optional);
  without.ca_file.clear();
  const RestServer rest(without);
  EXPECT_EQ(exchange(rest, "GET / HTTP/1.0\r\n\r\n", TestTls(good.certificate, good.key)),
            "refused");
  EXPECT_EQ(code_of(exchange(rest, "GET / HTTP/1.0\r\n\r\n")), "200");
}

TEST_F(RestTls, NewCertificateIsTakenUpWithoutTouchingOpenConnections) {
  RestServer rest(settings());
  const TestTls tls;
  TestSocket before(rest.port());
  ASSERT_TRUE(before.start_tls(tls.get()));
  EXPECT_EQ(serial_of(before), 10);
  EXPECT_FALSE(*rest.server.reload_certificate());
  authority_.issue({.name = "server", .serial = 11});
  TestSocket waiting(rest.port());
  ASSERT_TRUE(waiting.start_tls(tls.get()));
  ASSERT_TRUE(waiting.send("GET /cluster HTTP/1.0\r\n\r\n"));
  const auto request = rest.loop.next();
  EXPECT_TRUE(*rest.server.reload_certificate());
  EXPECT_FALSE(*rest.server.reload_certificate());
  TestSocket after(rest.port());
  ASSERT_TRUE(after.start_tls(tls.get()));
  EXPECT_EQ(serial_of(after), 11);
  ASSERT_TRUE(before.send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(before.read_answer()), "200");
  rest.server.reply({.id = request.id, .body = "still here"});
  EXPECT_EQ(body_of(waiting.read_all()), "still here");
}

TEST_F(RestTls, UnusableCertificateKeepsTheOldOne) {
  RestServer rest(settings());
  const auto wrong = authority_.issue({.name = "wrong", .serial = 12});
  std::filesystem::copy_file(wrong.certificate, server_.certificate,
                             std::filesystem::copy_options::overwrite_existing);
  const auto mismatch = rest.server.reload_certificate();
  ASSERT_FALSE(mismatch);
  EXPECT_TRUE(has(mismatch.error().message, server_.key)) << mismatch.error().message;
  std::filesystem::remove(server_.certificate);
  const auto missing = rest.server.reload_certificate();
  ASSERT_FALSE(missing);
  EXPECT_TRUE(has(missing.error().message, server_.certificate)) << missing.error().message;
  EXPECT_FALSE(rest.server.reconfigure(RestServer::on_loopback(settings())));
  EXPECT_EQ(code_of(exchange(rest, "GET / HTTP/1.0\r\n\r\n")), "200");
}

// ---- start, change, stop -----------------------------------------------------------------------

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

TEST_F(RestTls, ConnectionsMadeUnderOtherTlsSettingsEnd) {
  RestServer rest;
  TestSocket plain(rest.port());
  ASSERT_TRUE(plain.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(plain.read_answer()), "200");
  ASSERT_TRUE(rest.server.reconfigure(RestServer::on_loopback(settings(VerifyClient::required))));
  plain.send("POST /sigterm HTTP/1.1\r\n\r\n");
  EXPECT_EQ(plain.read_all(), "");
  EXPECT_TRUE(plain.closed());
  const auto good = authority_.issue({.name = "client"});
  EXPECT_EQ(code_of(exchange(rest, "GET / HTTP/1.0\r\n\r\n", TestTls(good.certificate, good.key))),
            "200");
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
