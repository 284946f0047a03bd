// SPDX-License-Identifier: Apache-2.0
// IDENTIFY_SYSTEM and TIMELINE_HISTORY.
#include "sql/replication.h"

#include <charconv>

#include "base/format.h"

namespace tanist::sql {

namespace {

tl::unexpected<SqlError> unusable(std::string_view command) {
  return tl::unexpected(
      SqlError{Errc::invalid, format_text("{} gave an unusable answer", command), ""});
}

}  // namespace

os::Awaitable<SqlResult<SystemIdentity>> identify_system(ConnectionPtr connection,
                                                         os::Limit limit) {
  auto answer = co_await connection->script("IDENTIFY_SYSTEM", std::move(limit));
  if (!answer) co_return tl::unexpected(std::move(answer.error()));
  if (answer->empty()) co_return unusable("IDENTIFY_SYSTEM");
  const auto& rows = answer->front();
  SystemIdentity identity;
  identity.system_id = rows.at(0, "systemid").value_or("");
  identity.position = rows.at(0, "xlogpos").value_or("");
  const auto timeline = rows.at(0, "timeline").value_or("");
  const auto* end = timeline.data() + timeline.size();
  const auto parsed = std::from_chars(timeline.data(), end, identity.timeline);
  if (identity.system_id.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
    co_return unusable("IDENTIFY_SYSTEM");
  }
  co_return identity;
}

os::Awaitable<SqlResult<std::string>> timeline_history(ConnectionPtr connection,
                                                       std::uint32_t timeline, os::Limit limit) {
  auto command = format_text("TIMELINE_HISTORY {}", timeline);
  auto answer = co_await connection->script(std::move(command), std::move(limit));
  if (!answer) co_return tl::unexpected(std::move(answer.error()));
  const auto content = answer->empty() ? Value{} : answer->front().at(0, "content");
  if (!content) co_return unusable("TIMELINE_HISTORY");
  co_return *content;
}

}  // namespace tanist::sql
