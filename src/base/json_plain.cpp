// SPDX-License-Identifier: Apache-2.0
// One pass, straight into the Tree. Gives up early rather than being clever.
#include "base/json_plain.h"

#include <algorithm>
#include <charconv>

namespace tanist {

namespace {

constexpr std::size_t entries_max = 64;  // more are not compared in pairs
constexpr std::size_t digits_max = 18;   // of a number that surely fits

class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  bool document(Tree& out) {
    if (!value(out, 0)) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool skip(char wanted) {
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view wanted) {
    if (!std::string_view(at_, end_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }

  bool value(Tree& out, int depth) {
    skip_space();
    if (at_ == end_) return false;
    switch (*at_) {
      case '{': return map(out, depth);
      case '[': return list(out, depth);
      case '"': {
        std::string_view text;
        if (!string(text)) return false;
        out = Tree(text);
        return true;
      }
      case 't': out = Tree(true); return word("true");
      case 'f': out = Tree(false); return word("false");
      case 'n': out = Tree(); return word("null");
      default: return number(out);
    }
  }

  bool string(std::string_view& out) {
    const auto* begin = ++at_;
    while (at_ != end_ && *at_ >= 0x20 && *at_ < 0x7F && *at_ != '"' && *at_ != '\\') ++at_;
    out = {begin, at_};
    return skip('"');
  }

  bool number(Tree& out) {
    const auto* begin = at_;
    const bool negative = skip('-');
    const auto* digits = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    const auto count = static_cast<std::size_t>(at_ - digits);
    const bool fits = count > 0 && count <= digits_max;
    const bool odd = fits && *digits == '0' && (count > 1 || negative);
    const bool real = at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E');
    if (!fits || odd || real) return false;
    std::int64_t value = 0;
    std::from_chars(begin, at_, value);
    out = Tree(value);
    return true;
  }

  bool list(Tree& out, int depth) {
    ++at_;
    Tree::List items;
    skip_space();
    if (depth + 1 >= tree_depth_max) return false;
    if (!skip(']')) {
      do {
        if (!value(items.emplace_back(), depth + 1)) return false;
        skip_space();
      } while (skip(','));
      if (!skip(']')) return false;
    }
    out = Tree(std::move(items));
    return true;
  }

  bool map(Tree& out, int depth) {
    ++at_;
    Tree::Map entries;
    skip_space();
    if (depth + 1 >= tree_depth_max) return false;
    if (!skip('}')) {
      entries.reserve(depth == 0 ? 16 : 4);
      do {
        if (!entry(entries, depth)) return false;
      } while (skip(','));
      if (!skip('}')) return false;
    }
    out = Tree(std::move(entries));
    return true;
  }

  bool entry(Tree::Map& entries, int depth) {
    std::string_view key;
    skip_space();
    if (at_ == end_ || *at_ != '"' || !string(key)) return false;
    const bool known = std::ranges::find(entries, key, &Tree::Entry::first) != entries.end();
    if (known || entries.size() >= entries_max) return false;
    skip_space();
    if (!skip(':')) return false;
    skip_space();
    if (std::string_view text; at_ != end_ && *at_ == '"') {
      if (!string(text)) return false;
      entries.emplace_back(key, text);
    } else {
      auto& placed = entries.emplace_back(key, Tree());
      if (!value(placed.second, depth + 1)) return false;
    }
    skip_space();
    return true;
  }

  const char* at_;
  const char* end_;
};

}  // namespace

bool read_plain_json(std::string_view text, Tree& out) { return PlainReader(text).document(out); }

}  // namespace tanist
