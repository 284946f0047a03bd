// SPDX-License-Identifier: Apache-2.0
// Text forms of the model's words. Pure; any thread.
#include "core/types.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"

namespace tanist {

std::string to_text(Lsn lsn) {
  return format_text("{:X}/{:X}", lsn.value() >> 32, lsn.value() & 0xFFFFFFFFU);
}

Result<Lsn> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  const auto part = [](std::string_view digits, std::uint32_t& value) {
    const auto* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, value, 16);
    return parsed.ec == std::errc{} && parsed.ptr == end;
  };
  if (slash == std::string_view::npos || !part(text.substr(0, slash), high) ||
      !part(text.substr(slash + 1), low)) {
    return fail(Errc::invalid, "\"{}\" is not an LSN (X/X in hexadecimal)", text.substr(0, 40));
  }
  return Lsn((static_cast<std::uint64_t>(high) << 32) | low);
}

bool is_valid(const SystemId& id) {
  const auto& text = id.value();
  return text.size() >= 10 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

namespace {

// The code point at `at`, moving past it. Bytes that are no UTF-8 count as themselves.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(at);
  const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) {
      ++at;
      return lead;
    }
    point = (point << 6) | (byte(at + i) & 0x3FU);
  }
  at += length;
  return point;
}

}  // namespace

std::string slot_name_of(const MemberName& member) {
  std::string name;
  const std::string& text = member.value();
  const auto stays = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (std::ranges::all_of(text, stays)) return text.size() <= 63 ? text : text.substr(0, 63);
  for (std::size_t at = 0; at < text.size();) {
    const auto point = next_code_point(text, at);
    if (point >= 'A' && point <= 'Z') {
      name += static_cast<char>(point - 'A' + 'a');
    } else if ((point >= 'a' && point <= 'z') || (point >= '0' && point <= '9') || point == '_') {
      name += static_cast<char>(point);
    } else if (point == '-' || point == '.') {
      name += '_';
    } else {
      name += format_text("u{:04}", point);
    }
  }
  return name.substr(0, 63);
}

}  // namespace tanist
