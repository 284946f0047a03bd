// SPDX-License-Identifier: Apache-2.0
// The client against our own server and against peers that answer whatever the test says.
#include "rest/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/format.h"
#include "os/clock.h"
#include "rest/server.h"
#include "rest/test_certificates.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tanist::rest {
namespace {

namespace asio = boost::asio;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Accepts one connection, reads until the head of a request has come, sends its lines and closes.
// An empty script says nothing and keeps the connection until the end.
class ScriptedPeer {
 public:
  explicit ScriptedPeer(std::string script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    EXPECT_EQ(listen(listener_, 5), 0);
    socklen_t size = sizeof own;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size);
    port_ = ntohs(own.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  ~ScriptedPeer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string url(std::string_view path = "/patroni") const {
    return format_text("http://127.0.0.1:{}{}", port_, path);
  }

  // What the client sent.
  std::string request() {
    shutdown(listener_, SHUT_RDWR);
    const std::lock_guard lock(mutex_);
    return request_;
  }

 private:
  void serve() {
    const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer < 0) return;
    char buffer[4096];
    while (true) {
      const auto got = recv(peer, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      const std::lock_guard lock(mutex_);
      request_.append(buffer, static_cast<std::size_t>(got));
      if (!script_.empty() && has(request_, "\r\n\r\n")) break;
    }
    send(peer, script_.data(), script_.size(), MSG_NOSIGNAL);
    close(peer);
  }

  std::string script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::string request_;
  std::thread thread_;
};

class Asking : public testing::Test {
 protected:
  // Calls and runs the executor until the answer is there.
  Result<Answer> ask(Client& client, Call call) {
    std::optional<Result<Answer>> answer;
    client.call(std::move(call), [&](Result<Answer> result) {
      EXPECT_FALSE(answer) << "called back twice";
      answer = std::move(result);
    });
    EXPECT_FALSE(answer) << "called back within call()";
    io_.restart();
    for (int i = 0; i < 1000 && !answer; ++i) {
      io_.restart();
      io_.run_one_for(milliseconds(10));
    }
    EXPECT_TRUE(answer) << "no callback";
    return answer ? *answer : tl::unexpected(Error{Errc::failed, "no callback"});
  }

  Result<Answer> get(const std::string& url, Duration timeout = seconds(5)) {
    Client client(io_.get_executor(), {});
    return ask(client, {.method = "GET", .url = url, .timeout = timeout});
  }

  asio::io_context io_;
};

TEST_F(Asking, Http10AnswerWithoutLengthEndsWithTheConnection) {
  const ScriptedPeer peer(
      "HTTP/1.0 200 OK\r\nServer: x\r\nContent-Type: application/json\r\nLSN: 5\r\n\r\n{\"a\": 1}");
  const auto answer = get(peer.url());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "{\"a\": 1}");
  EXPECT_EQ(answer->headers.at("lsn"), "5");
  EXPECT_EQ(answer->headers.at("content-type"), "application/json");
}

TEST_F(Asking, BareAnswerIsAnAnswer) {
  const ScriptedPeer peer("HTTP/1.0 503 Service Unavailable\r\n\r\n");
  const auto answer = get(peer.url("/liveness"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "");
}

TEST_F(Asking, ChunkedAnswerIsUnderstood) {
  const ScriptedPeer peer(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  const auto answer = get(peer.url());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "abcde");
}

TEST_F(Asking, RepeatedHeadersAreJoined) {
  const ScriptedPeer peer("HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(get(peer.url())->headers.at("x-a"), "1, 2");
}

TEST_F(Asking, RequestSaysWhoAsksAndWhat) {
  ScriptedPeer peer("HTTP/1.0 200 OK\r\n\r\n");
  PeerClientSettings settings;
  settings.username = "admin";
  settings.password = Secret("s3cret");
  Client client(io_.get_executor(), settings);
  ASSERT_TRUE(ask(client, {.method = "POST",
                           .url = peer.url("/failsafe?x=1"),
                           .body = "{\"name\": \"n1\"}",
                           .timeout = seconds(5)}));
  const auto request = peer.request();
  EXPECT_TRUE(request.starts_with("POST /failsafe?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")) << request;
  EXPECT_TRUE(has(request, "\r\nAuthorization: Basic YWRtaW46czNjcmV0\r\n")) << request;
  EXPECT_TRUE(has(request, "\r\nUser-Agent: tanist/")) << request;
  EXPECT_TRUE(has(request, "\r\nContent-Type: application/json\r\nContent-Length: 14\r\n"));
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"name\": \"n1\"}")) << request;
}

TEST_F(Asking, PostWithoutBodyNamesItsLength) {
  ScriptedPeer peer("HTTP/1.0 202 Accepted\r\n\r\nreload scheduled");
  Client client(io_.get_executor(), {});
  const auto answer =
      ask(client, {.method = "POST", .url = peer.url("/reload"), .timeout = seconds(5)});
  EXPECT_EQ(answer->body, "reload scheduled");
  EXPECT_TRUE(has(peer.request(), "\r\nContent-Length: 0\r\n"));
}

TEST_F(Asking, WhatIsNoAnswerIsAnError) {
  struct Row {
    std::string script;
    Errc code;
    std::string cause;
  };
  for (const auto& row : {
           Row{"SSH-2.0-OpenSSH_9.2\r\n\r\n", Errc::invalid, "not HTTP"},
           Row{"HTTP/1.0 abc OK\r\n\r\n", Errc::invalid, "not HTTP"},
           Row{"HTTP/1.0 200 OK\r\nno colon\r\n\r\n", Errc::invalid, "not HTTP"},
           Row{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Errc::unavailable, "cut short"},
           Row{"HTTP/1.0 200", Errc::unavailable, "cut short"},
           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Errc::invalid,
               "not HTTP"},
           Row{"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", Errc::invalid, "longer than"},
           Row{"HTTP/1.0 200 OK\r\n\r\n" + std::string(answer_bytes_max + 1, 'x'), Errc::invalid,
               "longer than"},
           Row{"HTTP/1.0 200 OK\r\nX: " + std::string(100000, 'x') + "\r\n\r\n", Errc::invalid,
               "longer than"},
       }) {
    const ScriptedPeer peer(row.script);
    const auto answer = get(peer.url());
    ASSERT_FALSE(answer) << row.script.substr(0, 40);
    EXPECT_EQ(answer.error().code, row.code) << answer.error().message;
    EXPECT_TRUE(has(answer.error().message, row.cause)) << answer.error().message;
    EXPECT_TRUE(has(answer.error().message, "127.0.0.1")) << answer.error().message;
  }
}

TEST_F(Asking, RefusedConnectionNamesHostAndCause) {
  std::string url;
  {
    const ScriptedPeer peer("x");
    url = peer.url();
  }
  const auto answer = get(url);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_TRUE(has(answer.error().message, "127.0.0.1")) << answer.error().message;
  EXPECT_TRUE(has(answer.error().message, "refused")) << answer.error().message;
}

TEST_F(Asking, SilentPeerCostsTheTimeoutAndNoMore) {
  const ScriptedPeer peer("");
  const auto begun = os::now();
  const auto answer = get(peer.url(), milliseconds(150));
  EXPECT_LT(os::now() - begun, seconds(2));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::timeout);
  EXPECT_TRUE(has(answer.error().message, "no answer within 150 ms (while waiting for the answer)"))
      << answer.error().message;
}

TEST_F(Asking, BadUrlsAndMethodsAreRefused) {
  for (const std::string url : {"", "db1:8008", "http://a b/", "http://x/\r\nEvil: 1"}) {
    EXPECT_EQ(get(url).error().code, Errc::invalid) << url;
  }
  Client client(io_.get_executor(), {});
  EXPECT_EQ(
      ask(client,
          {.method = "GET / HTTP/1.1\r\nX:", .url = "http://127.0.0.1:1/", .timeout = seconds(1)})
          .error()
          .code,
      Errc::invalid);
}

TEST_F(Asking, CancelledCallsCallBackOnceWithThatReason) {
  const ScriptedPeer peer("");
  Client client(io_.get_executor(), {});
  std::vector<Errc> codes;
  for (int i = 0; i < 3; ++i) {
    client.call({.method = "GET", .url = peer.url(), .timeout = seconds(30)},
                [&](const Result<Answer>& result) { codes.push_back(result.error().code); });
  }
  io_.run_for(milliseconds(20));
  client.call({.method = "GET", .url = peer.url(), .timeout = seconds(30)},
              [&](const Result<Answer>& result) { codes.push_back(result.error().code); });
  client.cancel_all();
  EXPECT_TRUE(codes.empty()) << "called back within cancel_all()";
  io_.restart();
  io_.run_for(seconds(5));
  EXPECT_EQ(codes, std::vector<Errc>(4, Errc::cancelled));
}

TEST_F(Asking, NobodyIsCalledAfterTheClientIsGone) {
  const ScriptedPeer peer("");
  bool called = false;
  {
    Client client(io_.get_executor(), {});
    client.call({.method = "GET", .url = peer.url(), .timeout = milliseconds(100)},
                [&](const Result<Answer>&) { called = true; });
    io_.run_for(milliseconds(20));
  }
  io_.restart();
  io_.run_for(seconds(5));
  EXPECT_FALSE(called);
}

TEST_F(Asking, ClientMayBeDestroyedInItsOwnCallback) {
  const ScriptedPeer peer("HTTP/1.0 200 OK\r\n\r\n");
  auto client = std::make_unique<Client>(io_.get_executor(), PeerClientSettings{});
  bool called = false;
  client->call({.method = "GET", .url = peer.url(), .timeout = seconds(5)},
               [&](const Result<Answer>&) {
                 client.reset();
                 called = true;
               });
  io_.run_for(seconds(5));
  EXPECT_TRUE(called);
}

// ---- names -------------------------------------------------------------------------------------

TEST_F(Asking, HangingResolverCostsTheTimeoutOnly) {
  std::mutex mutex;
  std::condition_variable changed;
  bool released = false;
  std::atomic<bool> ended = false;
  const auto hang = [&](const std::string&) -> Result<Addresses> {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return released; });
    ended = true;
    return fail(Errc::unavailable, "too late");
  };
  {
    Client client(io_.get_executor(), {}, Trust::agent, hang);
    const auto begun = os::now();
    const auto answer =
        ask(client, {.method = "GET", .url = "http://db1:8008/", .timeout = milliseconds(100)});
    EXPECT_LT(os::now() - begun, seconds(2));
    EXPECT_EQ(answer.error().code, Errc::timeout);
    EXPECT_TRUE(has(answer.error().message, "looking up db1")) << answer.error().message;
  }
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  changed.notify_all();
  while (!ended) std::this_thread::yield();
}

TEST_F(Asking, EveryAddressOfANameIsTried) {
  const ScriptedPeer peer("HTTP/1.0 200 OK\r\n\r\nhere");
  const auto two = [](const std::string&) -> Result<Addresses> {
    return Addresses{asio::ip::make_address("127.9.9.9"), asio::ip::make_address("127.0.0.1")};
  };
  Client client(io_.get_executor(), {}, Trust::agent, two);
  auto url = peer.url();
  url.replace(url.find("127.0.0.1"), 9, "db1");
  const auto answer = ask(client, {.method = "GET", .url = url, .timeout = seconds(5)});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "here");
}

TEST_F(Asking, UnknownNameIsNamed) {
  const auto none = [](const std::string& host) -> Result<Addresses> {
    return fail(Errc::unavailable, "cannot find the address of {}: unknown", host);
  };
  Client client(io_.get_executor(), {}, Trust::agent, none);
  const auto answer =
      ask(client, {.method = "GET", .url = "http://db1:8008/patroni", .timeout = seconds(5)});
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_EQ(answer.error().message,
            "GET db1:8008/patroni: cannot find the address of db1: unknown");
}

// ---- TLS ---------------------------------------------------------------------------------------

class AskingTls : public Asking {
 protected:
  // A server whose certificate is for `addresses`.
  std::unique_ptr<Server> serve(const std::string& addresses, VerifyClient verify) {
    const auto files = authority_.issue({.name = "server", .addresses = addresses});
    RestSettings settings;
    settings.listen = {"127.0.0.1", 0};
    settings.cert_file = files.certificate;
    settings.key_file = files.key;
    settings.ca_file = authority_.ca_file();
    settings.verify_client = verify;
    auto server = std::make_unique<Server>(
        settings, ServerHooks{.lease_deadline = [] { return std::nullopt; },
                              .now = os::now,
                              .submit = [](const ApiRequest&) {}});
    EXPECT_TRUE(server->start());
    return server;
  }

  // "200", or the error's message.
  std::string code(const Server& server, const PeerClientSettings& settings, Trust trust) {
    Client client(io_.get_executor(), settings, trust);
    const auto answer =
        ask(client, {.method = "GET",
                     .url = format_text("https://127.0.0.1:{}/patroni", server.port()),
                     .timeout = seconds(5)});
    return answer ? std::to_string(answer->status) : answer.error().message;
  }

  PeerClientSettings with_certificate() const {
    const auto files = authority_.issue({.name = "client"});
    PeerClientSettings settings;
    settings.ca_file = authority_.ca_file();
    settings.cert_file = files.certificate;
    settings.key_file = files.key;
    return settings;
  }

  const CertificateAuthority authority_{"test CA"};
  const CertificateAuthority stranger_{"another CA"};
};

TEST_F(AskingTls, AgentWithoutCertificateVerifiesNothing) {
  const auto server = serve("IP:192.0.2.1", VerifyClient::none);
  EXPECT_EQ(code(*server, {}, Trust::agent), "200");
  PeerClientSettings other;
  other.ca_file = stranger_.ca_file();
  EXPECT_EQ(code(*server, other, Trust::agent), "200");
}

TEST_F(AskingTls, AgentWithCertificateVerifiesTheChainButNotTheName) {
  const auto server = serve("IP:192.0.2.1", VerifyClient::required);
  auto settings = with_certificate();
  EXPECT_EQ(code(*server, settings, Trust::agent), "200");
  settings.ca_file = stranger_.ca_file();
  EXPECT_TRUE(has(code(*server, settings, Trust::agent), "TLS: self-signed certificate"))
      << code(*server, settings, Trust::agent);
}

TEST_F(AskingTls, ToolVerifiesChainAndName) {
  const auto server = serve("IP:127.0.0.1", VerifyClient::none);
  PeerClientSettings settings;
  settings.ca_file = authority_.ca_file();
  EXPECT_EQ(code(*server, settings, Trust::ctl), "200");
  settings.ca_file = stranger_.ca_file();
  EXPECT_TRUE(has(code(*server, settings, Trust::ctl), "TLS: "));
  const auto elsewhere = serve("IP:192.0.2.1", VerifyClient::none);
  settings.ca_file = authority_.ca_file();
  EXPECT_TRUE(has(code(*elsewhere, settings, Trust::ctl), "TLS: IP address mismatch"))
      << code(*elsewhere, settings, Trust::ctl);
}

TEST_F(AskingTls, InsecureToolVerifiesOnlyTheChainAndOnlyWithACertificate) {
  const auto server = serve("IP:192.0.2.1", VerifyClient::optional);
  PeerClientSettings settings;
  settings.insecure = true;
  settings.ca_file = stranger_.ca_file();
  EXPECT_EQ(code(*server, settings, Trust::ctl), "200");
  settings = with_certificate();
  settings.insecure = true;
  EXPECT_EQ(code(*server, settings, Trust::ctl), "200");
  settings.ca_file = stranger_.ca_file();
  EXPECT_TRUE(has(code(*server, settings, Trust::ctl), "TLS: "));
}

TEST_F(AskingTls, ServerThatWantsACertificateIsUnavailableWithoutOne) {
  const auto server = serve("IP:127.0.0.1", VerifyClient::required);
  Client client(io_.get_executor(), {});
  const auto answer = ask(client, {.method = "GET",
                                   .url = format_text("https://127.0.0.1:{}/", server->port()),
                                   .timeout = seconds(5)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unavailable) << answer.error().message;
}

TEST_F(AskingTls, CertificateFilesThatCannotBeUsedFailHttpsOnly) {
  PeerClientSettings settings;
  settings.cert_file = "/nowhere/client.crt";
  const auto server = serve("IP:127.0.0.1", VerifyClient::none);
  EXPECT_TRUE(has(code(*server, settings, Trust::agent), "/nowhere/client.crt"));
  const ScriptedPeer peer("HTTP/1.0 200 OK\r\n\r\n");
  Client client(io_.get_executor(), settings);
  EXPECT_TRUE(ask(client, {.method = "GET", .url = peer.url(), .timeout = seconds(5)}));
}

TEST_F(AskingTls, SilentPeerInTheHandshakeCostsTheTimeout) {
  const ScriptedPeer peer("");
  Client client(io_.get_executor(), {});
  auto url = peer.url();
  url.replace(0, 4, "https");
  const auto answer = ask(client, {.method = "GET", .url = url, .timeout = milliseconds(100)});
  EXPECT_EQ(answer.error().code, Errc::timeout);
  EXPECT_TRUE(has(answer.error().message, "agreeing on TLS")) << answer.error().message;
}

}  // namespace
}  // namespace tanist::rest
