// SPDX-License-Identifier: Apache-2.0
// The response forms (contract rest 1), byte by byte.
#include "rest/documents.h"

#include <gtest/gtest.h>

#include "base/format.h"

namespace tanist::rest {
namespace {

const std::map<std::string, std::string> extra{{"X-A", "1"}, {"X-B", "2"}};

Wire http10() { return {false, true, "tanist", "Sun, 06 Nov 1994 08:49:37 GMT", &extra}; }

Wire http11(bool close) { return {true, close, "tanist", "Sun, 06 Nov 1994 08:49:37 GMT", &extra}; }

std::string rendered(const Response& response, const Wire& wire) {
  std::string out;
  append(out, response, wire);
  return out;
}

TEST(BareForm, Http10HasNoHeaderAtAll) {
  EXPECT_EQ(rendered(bare(200), http10()), "HTTP/1.0 200 OK\r\n\r\n");
  EXPECT_EQ(rendered(bare(503), http10()), "HTTP/1.0 503 Service Unavailable\r\n\r\n");
}

TEST(BareForm, Http11SaysThatThereIsNoBody) {
  EXPECT_EQ(rendered(bare(200), http11(false)), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(rendered(bare(200), http11(true)),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(NormalForm, Http10EndsWithTheConnection) {
  EXPECT_EQ(rendered(text(412, "leader name does not match"), http10()),
            "HTTP/1.0 412 Precondition Failed\r\n"
            "Server: tanist\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/html\r\n"
            "X-A: 1\r\nX-B: 2\r\n"
            "\r\n"
            "leader name does not match");
}

TEST(NormalForm, Http11NamesTheLength) {
  EXPECT_EQ(rendered(json(200, "{}"), http11(false)),
            "HTTP/1.1 200 OK\r\n"
            "Server: tanist\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: application/json\r\n"
            "Content-Length: 2\r\n"
            "X-A: 1\r\nX-B: 2\r\n"
            "\r\n"
            "{}");
}

TEST(NormalForm, OwnHeadersComeBeforeTheContentType) {
  ApiReply reply;
  reply.body = "Accepted";
  reply.lsn = "67108864";
  EXPECT_EQ(rendered(from_loop(reply), http10()),
            "HTTP/1.0 200 OK\r\n"
            "Server: tanist\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "lsn: 67108864\r\n"
            "Content-Type: text/html\r\n"
            "X-A: 1\r\nX-B: 2\r\n"
            "\r\n"
            "Accepted");
}

TEST(PageForm, HasALengthAndNoExtraHeaders) {
  const auto answer = rendered(page(409, "lost"), http10());
  EXPECT_TRUE(
      answer.starts_with("HTTP/1.0 409 Conflict\r\n"
                         "Server: tanist\r\n"
                         "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                         "Connection: close\r\n"
                         "Content-Type: text/html;charset=utf-8\r\n"
                         "Content-Length: "))
      << answer;
  EXPECT_EQ(answer.find("X-A"), std::string::npos);
  const auto body = answer.substr(answer.find("\r\n\r\n") + 4);
  EXPECT_NE(answer.find(format_text("Content-Length: {}\r\n", body.size())), std::string::npos);
  EXPECT_NE(body.find("lost"), std::string::npos);
}

TEST(PageForm, UnsupportedMethodIsNamedInTheReason) {
  const auto answer = rendered(unsupported("BREW"), http10());
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 501 Unsupported method ('BREW')\r\n")) << answer;
  EXPECT_NE(answer.find("Server does not support this operation"), std::string::npos);
}

TEST(PageForm, TextOfOthersCannotBecomeMarkup) {
  const auto answer = rendered(page(400, "<script>&\""), http10());
  EXPECT_EQ(answer.find("<script>"), std::string::npos);
  EXPECT_NE(answer.find("&lt;script&gt;&amp;&quot;"), std::string::npos);
}

TEST(FromLoop, KeepsCodeAndForm) {
  ApiReply reply;
  reply.status = 202;
  reply.body = "Switchover scheduled";
  EXPECT_EQ(from_loop(reply).code, 202);
  EXPECT_EQ(from_loop(reply).content_type, "text/html");
  reply.form = ApiForm::json;
  EXPECT_EQ(from_loop(reply).content_type, "application/json");
  reply.form = ApiForm::page;
  EXPECT_EQ(from_loop(reply).form, Form::page);
}

TEST(FromLoop, CodeThatIsNoHttpStatusBecomesAnError) {
  ApiReply reply;
  reply.status = 7;
  EXPECT_EQ(from_loop(reply).code, 500);
  reply.status = 1LL << 40;
  EXPECT_EQ(from_loop(reply).code, 500);
}

TEST(HttpDate, IsTheOneOfTheStandard) {
  EXPECT_EQ(http_date(WallTime(seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(WallTime(seconds(0))), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(ExtraHeaders, ThatWouldBreakTheAnswerAreLeftOut) {
  std::vector<std::string> rejected;
  const auto good = sendable(
      {{"X-Good", "yes, really"}, {"X-Bad", "a\r\nSet-Cookie: b"}, {"no name", "x"}, {"", "y"}},
      rejected);
  ASSERT_EQ(good.size(), 1U);
  EXPECT_EQ(good.begin()->first, "X-Good");
  EXPECT_EQ(rejected.size(), 3U);
}

}  // namespace
}  // namespace tanist::rest
