// SPDX-License-Identifier: Apache-2.0
// The server over TLS: handshakes, client certificates, certificates that change.
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "rest/test_certificates.h"
#include "rest/test_server.h"

namespace tanist::rest {
namespace {

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

TEST_F(RestTls, SilentClientHoldsUpNobodyAndIsClosed) {  // trap 123
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

TEST_F(RestTls, NewCertificateIsTakenUpWithoutTouchingOpenConnections) {  // trap 125
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

TEST_F(RestTls, ConnectionsMadeUnderOtherTlsSettingsEnd) {
  RestServer rest;
  TestSocket plain(rest.port());
  ASSERT_TRUE(plain.send("OPTIONS / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(code_of(plain.read_answer()), "200");
  ASSERT_TRUE(rest.server.reconfigure(RestServer::on_loopback(settings(VerifyClient::required))));
  EXPECT_EQ(plain.read_all(), "");
  EXPECT_TRUE(plain.closed());
  const auto good = authority_.issue({.name = "client"});
  EXPECT_EQ(code_of(exchange(rest, "GET / HTTP/1.0\r\n\r\n", TestTls(good.certificate, good.key))),
            "200");
}

TEST_F(RestTls, RequestOnAConnectionOfOtherTlsSettingsIsAnsweredButNotServed) {
  RestServer rest;
  TestSocket plain(rest.port());
  ASSERT_TRUE(plain.send("POST /sigterm HTTP/1.1\r\nX: "));
  EXPECT_EQ(code_of(rest.get("/primary")), "200");  // by now the first line was read
  ASSERT_TRUE(rest.server.reconfigure(RestServer::on_loopback(settings(VerifyClient::required))));
  ASSERT_TRUE(plain.send("y\r\n\r\n"));
  EXPECT_EQ(code_of(plain.read_all()), "421");
}

TEST_F(RestTls, NewKeyUnderTheOldSerialNumberIsNoticed) {
  RestServer rest(settings());
  authority_.issue({.name = "server", .serial = 10});
  EXPECT_TRUE(*rest.server.reload_certificate());
  EXPECT_FALSE(*rest.server.reload_certificate());
}

TEST_F(RestTls, MetricsTellWhenTheCertificateExpires) {
  const RestServer rest(settings());
  const auto metrics = exchange(rest, "GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(has(metrics, "\ntanist_rest_certificate_expiry_seconds{")) << metrics;
}

}  // namespace
}  // namespace tanist::rest
