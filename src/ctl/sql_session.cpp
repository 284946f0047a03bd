// SPDX-License-Identifier: Apache-2.0
// A connection on an event loop of its own.
#include "ctl/sql_session.h"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <charconv>

#include "os/run_loop.h"

namespace tanist::ctl {

namespace {

// OIDs of pg_type, which never change.
constexpr std::uint32_t boolean_type = 16;
constexpr std::array<std::uint32_t, 4> integer_types{20, 21, 23, 26};
constexpr std::array<std::uint32_t, 2> real_types{700, 701};

constexpr std::array<std::uint32_t, 3> time_types{1083, 1114, 1184};  // the last one has a zone

using RowsOf = sql::SqlResult<sql::Rows>;

os::Awaitable<RowsOf> run(os::DiskPool* pool, sql::AddressBook* addresses, SqlRequest request) {
  sql::ConnectRequest connect;
  connect.keywords = request.keywords;
  connect.password = request.password;
  connect.bare = true;
  auto connection = co_await sql::Connection::open(pool, addresses, connect, os::Limit());
  if (!connection) co_return tl::unexpected(connection.error());
  if (request.in_recovery) {
    const std::string question = "SELECT pg_catalog.pg_is_in_recovery() AS it";
    auto state = co_await (*connection)->script(question, os::Limit());
    if (!state) co_return tl::unexpected(state.error());
    const bool is_in_recovery = state->back().at(0, "it") == "t";
    if (is_in_recovery != *request.in_recovery) {
      co_return tl::unexpected(sql::SqlError{Errc::not_found, "another role", ""});
    }
  }
  auto results = co_await (*connection)->script(request.text, os::Limit());
  if (!results) co_return tl::unexpected(results.error());
  co_return results->empty() ? sql::Rows() : std::move(results->back());
}

// "2026-01-01 00:00:00.5+00" as Python prints it: 2026-01-01 00:00:00.500000+00:00.
std::string time_text(std::string text, bool has_zone) {
  const auto zone = has_zone ? text.find_last_of("+-") : std::string::npos;
  auto suffix = zone == std::string::npos ? std::string() : text.substr(zone);
  if (suffix.size() == 3) suffix += ":00";
  text.resize(std::min(zone, text.size()));
  const auto dot = text.find('.');
  if (dot != std::string::npos) text.resize(dot + 7, '0');
  return text + suffix;
}

}  // namespace

RowsOf run_sql(const SqlRequest& request) {
  boost::asio::io_context loop{1};
  os::DiskPool pool;
  sql::AddressBook addresses{pool};
  return os::run_until_done(loop, run(&pool, &addresses, request));
}

Tree cell_of(const sql::Value& value, std::uint32_t type) {
  if (!value) return {};
  if (type == boolean_type) return *value == "t";
  const auto* end = value->data() + value->size();
  if (std::ranges::count(integer_types, type) > 0) {
    std::int64_t number = 0;
    const auto read = std::from_chars(value->data(), end, number);
    if (read.ec == std::errc() && read.ptr == end) return number;
  }
  if (std::ranges::count(real_types, type) > 0) {
    double number = 0;
    const auto read = std::from_chars(value->data(), end, number);
    if (read.ec == std::errc() && read.ptr == end) return number;
  }
  if (std::ranges::count(time_types, type) > 0) return time_text(*value, type == 1184);
  return *value;
}

}  // namespace tanist::ctl
