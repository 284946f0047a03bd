// SPDX-License-Identifier: Apache-2.0
// Reading of `members/NAME`, with the forms that older agents wrote (contract dcs 4.3), and of
// timestamps. Pure; any thread.
#include <algorithm>
#include <charconv>

#include "base/format.h"
#include "store/codec.h"
#include "store/codec_json.h"

namespace tanist::store {

std::optional<MemberName> member_of(std::string_view relative) {
  constexpr std::string_view folder = "members/";
  if (!relative.starts_with(folder)) return std::nullopt;
  const auto name = relative.substr(folder.size());
  if (name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  return MemberName(std::string(name));
}

namespace {

Lsn lsn_of(const Tree& object, std::string_view name) {
  const auto* value = object.find(name);
  const auto number = value != nullptr ? to_int(*value) : std::nullopt;
  return Lsn(number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0);
}

Timeline timeline_of(const Tree& object) {
  const auto number = lsn_of(object, "timeline").value();
  return Timeline(number <= UINT32_MAX ? static_cast<std::uint32_t>(number) : 0);
}

bool is_set(const Tree& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr && value->truthy();
}

std::optional<Role> role_of(const Tree& object) {
  const auto text = text_of(object, "role");
  return text == "master" ? Role::primary : from_name<Role>(text);
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned code = 0;
    const auto digits = text.substr(at, 3);
    const bool escaped =
        digits.size() == 3 && digits[0] == '%' &&
        std::from_chars(digits.data() + 1, digits.data() + 3, code, 16).ptr == digits.data() + 3;
    out += escaped ? static_cast<char>(code) : text[at];
    if (escaped) at += 2;
  }
  return out;
}

// postgres://host:5432/db?application_name=http://host:8008/patroni
Tree from_legacy_url(std::string_view url) {
  const auto query_at = url.find('?');
  Tree out = Tree::map({{"conn_url", Tree(url.substr(0, query_at))}});
  auto query = query_at == std::string_view::npos ? "" : url.substr(query_at + 1);
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    constexpr std::string_view wanted = "application_name=";
    if (pair.starts_with(wanted)) out.set("api_url", percent_decoded(pair.substr(wanted.size())));
    query = end == std::string_view::npos ? "" : query.substr(end + 1);
  }
  return out;
}

// {"host": ..., "port": ...}: what some agents publish instead of the URL.
std::string url_of_parts(const Tree& parts) {
  const auto host = text_of(parts, "host");
  if (host.empty()) return {};
  const auto* given = parts.find("port");
  const auto port = given != nullptr ? to_int(*given).value_or(5432) : 5432;
  const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return bare_ipv6 ? format_text("postgres://[{}]:{}/postgres", host, port)
                   : format_text("postgres://{}:{}/postgres", host, port);
}

}  // namespace

MemberView decode_member(const MemberName& name, const StoredKey& key) {
  MemberView member{.name = name, .revision = key.revision, .lease = key.lease};
  Tree data =
      key.value.starts_with("postgres") ? from_legacy_url(key.value) : json_or_null(key.value);
  member.data = data.is_map() ? std::move(data) : Tree::map();
  const Tree& object = *member.data;
  member.conn_url = text_of(object, "conn_url");
  const auto* parts = object.find("conn_kwargs");
  if (member.conn_url.empty() && parts != nullptr) member.conn_url = url_of_parts(*parts);
  member.api_url = text_of(object, "api_url");
  member.state = from_name<ServerState>(text_of(object, "state")).value_or(ServerState::unknown);
  member.role = role_of(object);
  member.version = text_of(object, "version");
  member.tanist_version = text_of(object, "tanist");
  const auto* tags = object.find("tags");
  member.tags = tags_from(tags != nullptr ? *tags : Tree::map());
  member.timeline = timeline_of(object);
  member.xlog_location = lsn_of(object, "xlog_location");
  member.replay_lsn = lsn_of(object, "replay_lsn");
  member.receive_lsn = lsn_of(object, "receive_lsn");
  member.replication_state = text_of(object, "replication_state");
  const auto* checkpoint = object.find("checkpoint_after_promote");
  member.checkpoint_pending =
      checkpoint != nullptr && checkpoint->as_bool() != nullptr && !*checkpoint->as_bool();
  member.pending_restart = is_set(object, "pending_restart");
  member.paused = is_set(object, "pause");
  return member;
}

namespace {

// Reads numbers off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool skip(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` digits between `low` and `high`.
  bool number(std::size_t digits, int low, int high, int& value) {
    if (text_.size() < digits) return false;
    const auto parsed = std::from_chars(text_.data(), text_.data() + digits, value);
    if (parsed.ec != std::errc{} || parsed.ptr != text_.data() + digits) return false;
    text_.remove_prefix(digits);
    return value >= low && value <= high;
  }
  // Digits of any number after a decimal point; what is finer than a microsecond is cut off.
  std::optional<std::chrono::microseconds> fraction() {
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; ++digits) {
      if (digits < 6) value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits) value *= 10;
    return std::chrono::microseconds(value);
  }

 private:
  std::string_view text_;
};

std::optional<std::chrono::microseconds> scan_clock(Scanner& scanner) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::chrono::microseconds fraction{0};
  if (!scanner.number(2, 0, 23, hour) || !scanner.skip(":") || !scanner.number(2, 0, 59, minute)) {
    return std::nullopt;
  }
  if (scanner.skip(":") && !scanner.number(2, 0, 59, second)) return std::nullopt;
  if (scanner.skip(".,")) {
    const auto digits = scanner.fraction();
    if (!digits) return std::nullopt;
    fraction = *digits;
  }
  return std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second) + fraction;
}

std::optional<std::chrono::minutes> scan_zone(Scanner& scanner) {
  scanner.skip(" ");
  if (scanner.skip("Zz")) return std::chrono::minutes(0);
  const bool west = scanner.skip("-");
  if (!west && !scanner.skip("+")) return std::nullopt;
  int hour = 0;
  int minute = 0;
  if (!scanner.number(2, 0, 23, hour)) return std::nullopt;
  scanner.skip(":");
  if (!scanner.at_end() && !scanner.number(2, 0, 59, minute)) return std::nullopt;
  const auto distance = std::chrono::hours(hour) + std::chrono::minutes(minute);
  return west ? -distance : distance;
}

}  // namespace

std::optional<WallTime> parse_timestamp(std::string_view text) {
  Scanner scanner(text);
  int year = 0;
  int month = 0;
  int day = 0;
  if (!scanner.number(4, 1970, 9999, year) || !scanner.skip("-") ||
      !scanner.number(2, 1, 12, month) || !scanner.skip("-") || !scanner.number(2, 1, 31, day) ||
      !scanner.skip("Tt ")) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const auto clock = scan_clock(scanner);
  if (!date.ok() || !clock) return std::nullopt;
  const auto zone = scan_zone(scanner);
  if (!zone || !scanner.at_end()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + *clock - *zone;
}

}  // namespace tanist::store
