// SPDX-License-Identifier: Apache-2.0
// Rendering of answers. Pure; any thread.
#include "rest/documents.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/format.h"

namespace tanist::rest {

namespace {

constexpr std::string_view line_end = "\r\n";

constexpr std::array<std::pair<int, std::string_view>, 21> reasons{{
    {200, "OK"},
    {202, "Accepted"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Request Entity Too Large"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Entity"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
}};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string html_of(int code, std::string_view reason, std::string_view explanation) {
  return format_text(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{0} {1}</title>"
      "</head>\n<body>\n<h1>{0} {1}</h1>\n<p>{2}</p>\n</body>\n</html>\n",
      code, escaped(reason), escaped(explanation));
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += line_end;
}

void append_length(std::string& out, std::size_t length) {
  out += format_text("Content-Length: {}\r\n", length);
}

void append_bare(std::string& out, const Wire& wire) {
  if (wire.http11) {
    append_length(out, 0);
    if (wire.close) append_header(out, "Connection", "close");
  }
  out += line_end;
}

void append_page(std::string& out, const Response& response, const Wire& wire,
                 std::string_view reason) {
  const auto html = html_of(response.code, reason, response.body);
  append_header(out, "Server", wire.server);
  append_header(out, "Date", wire.date);
  append_header(out, "Connection", "close");
  append_header(out, "Content-Type", "text/html;charset=utf-8");
  append_length(out, html.size());
  out += line_end;
  out += html;
}

void append_normal(std::string& out, const Response& response, const Wire& wire) {
  append_header(out, "Server", wire.server);
  append_header(out, "Date", wire.date);
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  append_header(out, "Content-Type", response.content_type);
  if (wire.http11) {
    append_length(out, response.body.size());
    if (wire.close) append_header(out, "Connection", "close");
  }
  if (wire.extra_headers != nullptr) {
    for (const auto& [name, value] : *wire.extra_headers) append_header(out, name, value);
  }
  out += line_end;
  out += response.body;
}

bool is_token(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool is_one_line(std::string_view value) {
  return std::ranges::none_of(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

Response bare(int code) {
  Response response;
  response.code = code;
  response.form = Form::bare;
  return response;
}

Response text(int code, std::string body) {
  Response response;
  response.code = code;
  response.body = std::move(body);
  return response;
}

Response json(int code, std::string body) {
  auto response = text(code, std::move(body));
  response.content_type = "application/json";
  return response;
}

Response page(int code, std::string explanation) {
  auto response = text(code, std::move(explanation));
  response.form = Form::page;
  return response;
}

Response unsupported(std::string_view method) {
  auto response = page(501, "Server does not support this operation");
  response.reason = format_text("Unsupported method ('{}')", method);
  return response;
}

Response from_loop(ApiReply reply) {
  const bool is_status = reply.status >= 200 && reply.status <= 599;
  const int code = is_status ? static_cast<int>(reply.status) : 500;
  Response response = reply.form == ApiForm::page   ? page(code, std::move(reply.body))
                      : reply.form == ApiForm::json ? json(code, std::move(reply.body))
                                                    : text(code, std::move(reply.body));
  if (!reply.lsn.empty()) response.headers.emplace_back("lsn", std::move(reply.lsn));
  return response;
}

void append(std::string& out, const Response& response, const Wire& wire) {
  const std::string_view reason =
      response.reason.empty() ? reason_of(response.code) : std::string_view(response.reason);
  out += format_text("HTTP/1.{} {} {}\r\n", wire.http11 ? 1 : 0, response.code, reason);
  switch (response.form) {
    case Form::bare: return append_bare(out, wire);
    case Form::normal: return append_normal(out, response, wire);
    case Form::page: return append_page(out, response, wire, reason);
  }
}

std::string_view reason_of(int code) {
  const auto* row = std::ranges::find(reasons, code, &std::pair<int, std::string_view>::first);
  return row == reasons.end() ? "Unknown" : row->second;
}

std::string http_date(WallTime time) {
  constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed",
                                                     "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<seconds>(time - day)};
  return format_text("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     weekdays[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::map<std::string, std::string> sendable(const std::map<std::string, std::string>& headers,
                                            std::vector<std::string>& rejected) {
  std::map<std::string, std::string> good;
  for (const auto& [name, value] : headers) {
    if (is_token(name) && is_one_line(value)) {
      good.emplace(name, value);
    } else {
      rejected.push_back(name);
    }
  }
  return good;
}

}  // namespace tanist::rest
