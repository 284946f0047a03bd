// SPDX-License-Identifier: Apache-2.0
// JSON through nlohmann's SAX parser (the only file that includes it) and our own writer, which
// keeps order and ASCII. Pure; any thread.
#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <tuple>
#include <utility>

namespace tanist {

namespace {

// So many are compared pair by pair.
constexpr std::size_t few = 32;

bool repeats(const Tree::Map& entries) {
  for (std::size_t i = 1; i < entries.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (entries[i].first == entries[j].first) return true;
    }
  }
  return false;
}

// A repeated key keeps its first place and takes its last value. By sorting: a hostile body of a
// million keys must not cost a comparison per pair.
void keep_last_of_repeated(Tree::Map& entries) {
  if (entries.size() <= few && !repeats(entries)) return;
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return std::tie(entries[a].first, a) < std::tie(entries[b].first, b);
  });
  std::vector<bool> repeated(entries.size(), false);
  std::size_t first = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (entries[order[i]].first != entries[order[first]].first) {
      first = i;
      continue;
    }
    entries[order[first]].second = std::move(entries[order[i]].second);
    repeated[order[i]] = true;
  }
  std::size_t at = 0;
  std::erase_if(entries, [&](const Tree::Entry&) { return repeated[at++]; });
}

// Builds a Tree from parser events; refuses depth before recursion could hurt anybody. What belongs
// to objects and arrays that are still open waits in one vector, so that each is made with its
// final size.
class TreeBuilder {
 public:
  using Json = nlohmann::json;

  TreeBuilder() { waiting_.reserve(few); }

  bool null() { return put(Tree()); }
  bool boolean(bool value) { return put(Tree(value)); }
  bool number_integer(std::int64_t value) { return put(Tree(value)); }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return put(Tree(static_cast<double>(value)));
    return put(Tree(static_cast<std::int64_t>(value)));
  }
  bool number_float(double value, const std::string&) { return put(Tree(value)); }
  bool string(std::string& value) { return put(Tree(std::move(value))); }
  bool binary(Json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(); }
  bool key(std::string& value) {
    key_ = std::move(value);
    return true;
  }
  bool end_object() {
    const auto begin = begin_of_open();
    Tree::Map entries(std::make_move_iterator(begin), std::make_move_iterator(waiting_.end()));
    keep_last_of_repeated(entries);
    return close(Tree(std::move(entries)));
  }
  bool start_array(std::size_t) { return open(); }
  bool end_array() {
    Tree::List items;
    items.reserve(static_cast<std::size_t>(waiting_.end() - begin_of_open()));
    for (auto at = begin_of_open(); at != waiting_.end(); ++at) {
      items.push_back(std::move(at->second));
    }
    return close(Tree(std::move(items)));
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) {
    if (message_.empty()) message_ = fmt::format("at byte {}: {}", position, error.what());
    return false;
  }

  Tree take() { return std::move(waiting_.front().second); }
  const std::string& message() const { return message_; }

 private:
  // An object or array that is not ended yet.
  struct Open {
    std::string key;  // its own
    std::size_t begin;
  };

  Tree::Map::iterator begin_of_open() {
    return waiting_.begin() + static_cast<std::ptrdiff_t>(open_.back().begin);
  }

  bool open() {
    if (open_.size() >= static_cast<std::size_t>(tree_depth_max)) {
      message_ = fmt::format("nested deeper than {} levels", tree_depth_max);
      return false;
    }
    open_.push_back({std::exchange(key_, {}), waiting_.size()});
    return true;
  }

  bool close(Tree value) {
    waiting_.erase(begin_of_open(), waiting_.end());
    key_ = std::move(open_.back().key);
    open_.pop_back();
    return put(std::move(value));
  }

  // Under the last key; items of an array have none.
  bool put(Tree value) {
    waiting_.emplace_back(std::exchange(key_, {}), std::move(value));
    return true;
  }

  Tree::Map waiting_;
  std::vector<Open> open_;
  std::string key_;
  std::string message_;
};

void append_unicode(std::string& out, char32_t point) {
  if (point >= 0x10000) {
    point -= 0x10000;
    out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + static_cast<unsigned>(point >> 10),
                       0xDC00 + static_cast<unsigned>(point & 0x3FF));
    return;
  }
  out += fmt::format("\\u{:04x}", static_cast<unsigned>(point));
}

// Decodes one UTF-8 sequence starting at `at` and moves past it; bytes that are no UTF-8 become
// the replacement character one by one.
char32_t next_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (length == 1) return text[at++];
  char32_t point = lead & (0xFFU >> (length + 1));
  bool valid = lead >= 0xC2 && lead <= 0xF4 && at + length <= text.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(at + i) & 0xC0) == 0x80;
    point = (point << 6) | (byte(at + i) & 0x3F);
  }
  at += valid ? length : 1;
  return valid ? point : U'\uFFFD';
}

void append_string(std::string& out, std::string_view text) {
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; };
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const auto begin = at;
    while (at < text.size() && is_plain(text[at])) ++at;
    out.append(text, begin, at - begin);
    if (at == text.size()) break;
    const char c = text[at];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      ++at;
    } else if (c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f') {
      out += '\\';
      out += c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c == '\b' ? 'b' : 'f';
      ++at;
    } else {
      append_unicode(out, next_point(text, at));
    }
  }
  out += '"';
}

void append_real(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  auto text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  out += text;
}

struct Separators {
  std::string_view item;
  std::string_view key;
};

void append(std::string& out, const Tree& tree, const Separators& separators);

void append_items(std::string& out, const Tree::List& items, const Separators& separators) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += separators.item;
    append(out, items[i], separators);
  }
  out += ']';
}

void append_entries(std::string& out, const Tree::Map& entries, const Separators& separators) {
  out += '{';
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) out += separators.item;
    append_string(out, entries[i].first);
    out += separators.key;
    append(out, entries[i].second, separators);
  }
  out += '}';
}

void append(std::string& out, const Tree& tree, const Separators& separators) {
  if (const auto* map = tree.as_map()) return append_entries(out, *map, separators);
  if (const auto* list = tree.as_list()) return append_items(out, *list, separators);
  if (const auto* text = tree.as_string()) return append_string(out, *text);
  if (const auto* number = tree.as_int()) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
  } else if (const auto* real = tree.as_real()) {
    append_real(out, *real);
  } else if (const auto* truth = tree.as_bool()) {
    out += *truth ? "true" : "false";
  } else {
    out += "null";
  }
}

}  // namespace

Result<Tree> parse_json(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return fail(Errc::invalid, "JSON of {} bytes is longer than {}", text.size(), bytes_max);
  }
  TreeBuilder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) {
    return fail(Errc::invalid, "not valid JSON: {}", builder.message());
  }
  return builder.take();
}

std::string to_json(const Tree& tree) {
  std::string out;
  out.reserve(256);  // most documents of a store fit
  append(out, tree, {",", ":"});
  return out;
}

std::string to_spaced_json(const Tree& tree) {
  std::string out;
  append(out, tree, {", ", ": "});
  return out;
}

}  // namespace tanist
