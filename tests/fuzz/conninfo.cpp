// SPDX-License-Identifier: Apache-2.0
// Connection strings. What we read is written such that it reads as the same; and libpq, which has
// the last word on them, reads no other values out of one that both accept.
#include "sql/conninfo.h"

#include <libpq-fe.h>

#include <string>

#include "tests/fuzz/fuzz.h"

namespace {

// False when libpq refuses the text, for an unknown keyword say: ours takes any.
bool agrees_with_libpq(const std::string& text, const tanist::sql::Keywords& ours) {
  auto* options = PQconninfoParse(text.c_str(), nullptr);
  if (options == nullptr) return false;
  // An old word that libpq turns into an sslmode.
  const bool has_old_word = ours.contains("requiressl");
  for (const auto* option = options; option->keyword != nullptr && !has_old_word; ++option) {
    const auto at = ours.find(option->keyword);
    const auto mine = at != ours.end() ? at->second : std::string();
    const std::string theirs = option->val != nullptr ? option->val : "";
    // Several hosts without ports may be said with commas alone, or not at all.
    const auto says_nothing = [](const std::string& value) {
      return value.find_first_not_of(',') == std::string::npos;
    };
    const bool both_nothing = says_nothing(theirs) && says_nothing(mine);
    tanist::fuzz::expect(both_nothing || theirs == mine, option->keyword);
  }
  PQconninfoFree(options);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  const std::string text(fuzz::text_of(data, size));
  auto read = sql::parse_conninfo(text);
  if (!read) return 0;
  // Read as written, but to libpq an empty value is none: it is not written.
  std::erase_if(*read, [](const auto& entry) { return entry.second.empty(); });
  (void)sql::hosts_of(*read);
  if (text.find('\0') != std::string::npos || !agrees_with_libpq(text, *read)) return 0;
  const auto again = sql::parse_conninfo(sql::format_conninfo(*read));
  fuzz::expect(again.has_value(), "a written conninfo can be read");
  fuzz::expect(*again == *read, "it says the same");
  return 0;
}
