// SPDX-License-Identifier: Apache-2.0
// Answers as bytes: the three response forms of contract rest 1, as HTTP/1.0 to the letter and as
// HTTP/1.1 with a length. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/api_request.h"

namespace tanist::rest {

enum class Form {
  bare,    // status line only
  normal,  // text or JSON with the configured extra headers
  page,    // small HTML page; always the last answer on its connection
};

struct Response {
  int code = 200;
  Form form = Form::normal;
  std::string_view content_type = "text/html";                    // of a normal response; a literal
  std::vector<std::pair<std::string_view, std::string>> headers;  // of this answer; literal names
  std::string body;    // of a page: the explanation, any text
  std::string reason;  // replaces the usual phrase of the code when not empty
};

Response bare(int code);
Response text(int code, std::string body);
Response json(int code, std::string body);
Response page(int code, std::string explanation);
// 501 for a method that the path does not know; clients search its page for the exact sentence.
Response unsupported(std::string_view method);
Response from_loop(ApiReply reply);

// How a response goes out: what belongs to the connection and the settings.
struct Wire {
  bool http11 = false;
  bool close = true;  // the connection ends with this answer; always true for HTTP/1.0
  std::string_view server;
  std::string_view date;
  const std::map<std::string, std::string>* extra_headers = nullptr;  // of normal responses
};

// Appends the whole answer to `out`.
void append(std::string& out, const Response& response, const Wire& wire);

// The usual phrase of a code, "Unknown" for a code that is not in use here.
std::string_view reason_of(int code);

// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(WallTime time);

// The extra headers that can be sent: an entry whose name is no token or whose value would break
// the line is left out and its name put into `rejected`.
std::map<std::string, std::string> sendable(const std::map<std::string, std::string>& headers,
                                            std::vector<std::string>& rejected);

}  // namespace tanist::rest
