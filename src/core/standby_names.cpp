// SPDX-License-Identifier: Apache-2.0
// Grammar of synchronous_standby_names. Pure; any thread.
#include "core/standby_names.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace tanist {

namespace {

using Kind = StandbyNames::Kind;

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

struct Token {
  enum class What { word, name, open, close, comma };
  What what = What::word;
  std::string text;
};

constexpr std::string_view word_end = " \t\n\r(),\"";

// The name between quotation marks that begins at `text`; nothing when it does not end.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string name;
  for (text.remove_prefix(1); !text.empty(); text.remove_prefix(1)) {
    if (text.front() == '"') {
      if (!text.substr(1).starts_with('"')) {
        text.remove_prefix(1);
        return name;
      }
      text.remove_prefix(1);
    }
    name += text.front();
  }
  return std::nullopt;
}

std::optional<Token> take_token(std::string_view& text) {
  switch (text.front()) {
    case '(': text.remove_prefix(1); return Token{Token::What::open, {}};
    case ')': text.remove_prefix(1); return Token{Token::What::close, {}};
    case ',': text.remove_prefix(1); return Token{Token::What::comma, {}};
    case '"': {
      auto name = take_quoted(text);
      if (!name) return std::nullopt;
      return Token{Token::What::name, std::move(*name)};
    }
    default: {
      const auto length = std::min(text.find_first_of(word_end), text.size());
      Token token{Token::What::word, std::string(text.substr(0, length))};
      text.remove_prefix(length);
      return token;
    }
  }
}

std::optional<std::vector<Token>> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (;;) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
      text.remove_prefix(1);
    }
    if (text.empty()) return tokens;
    auto token = take_token(text);
    if (!token) return std::nullopt;
    tokens.push_back(std::move(*token));
  }
}

class Reader {
 public:
  explicit Reader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  std::optional<StandbyNames> read() {
    StandbyNames out{.kind = Kind::priority, .count = 1, .names = {}};
    const bool counted = read_head(out);
    if (counted && !take(Token::What::open)) return std::nullopt;
    do {
      if (!is_name()) return std::nullopt;
      out.names.emplace_back(tokens_[at_++].text);
    } while (take(Token::What::comma));
    if (counted && !take(Token::What::close)) return std::nullopt;
    if (at_ != tokens_.size() || out.count < 1) return std::nullopt;
    return out;
  }

 private:
  // FIRST n, ANY n or n before a list in brackets.
  bool read_head(StandbyNames& out) {
    const auto keyword = at_ < tokens_.size() && tokens_[at_].what == Token::What::word
                             ? lower_case(tokens_[at_].text)
                             : std::string();
    const bool named = (keyword == "first" || keyword == "any") && is_number(at_ + 1);
    const std::size_t number = named ? at_ + 1 : at_;
    const bool bracket =
        number + 1 < tokens_.size() && tokens_[number + 1].what == Token::What::open;
    if (!is_number(number) || !bracket) return false;
    if (named && keyword == "any") out.kind = Kind::quorum;
    out.count = std::stoll(tokens_[number].text);
    at_ = number + 1;
    return true;
  }
  bool is_number(std::size_t at) const {
    return at < tokens_.size() && tokens_[at].what == Token::What::word &&
           all_digits(tokens_[at].text) && tokens_[at].text.size() <= 9;
  }
  bool is_name() const {
    if (at_ >= tokens_.size()) return false;
    if (tokens_[at_].what == Token::What::name) return !tokens_[at_].text.empty();
    return tokens_[at_].what == Token::What::word;
  }
  bool take(Token::What what) {
    if (at_ >= tokens_.size() || tokens_[at_].what != what) return false;
    ++at_;
    return true;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

std::string in_quotes(const std::string& name) {
  const auto lower = lower_case(name);
  const bool starts_well =
      !name.empty() && (std::isalpha(static_cast<unsigned char>(name[0])) != 0 || name[0] == '_');
  const bool plain = starts_well && std::ranges::all_of(name, [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '_' || c == '$';
                     });
  if (plain && lower != "first" && lower != "any") return name;
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

StandbyNames parse_standby_names(std::string_view text) {
  const StandbyNames foreign{.kind = Kind::foreign, .count = 0, .names = {}};
  auto tokens = tokens_of(text);
  if (!tokens) return foreign;
  if (tokens->empty()) return {};
  auto value = Reader(std::move(*tokens)).read();
  if (!value) return foreign;
  const bool wildcard =
      std::ranges::any_of(value->names, [](const MemberName& name) { return name.value() == "*"; });
  return wildcard ? foreign : std::move(*value);
}

std::string to_text(const StandbyNames& value) {
  if (value.names.empty()) return {};
  auto sorted = value.names;
  std::ranges::sort(sorted);
  std::string list;
  for (const auto& name : sorted) list += (list.empty() ? "" : ",") + in_quotes(name.value());
  if (value.kind == Kind::quorum) return "ANY " + std::to_string(value.count) + " (" + list + ")";
  if (sorted.size() == 1) return list;
  return std::to_string(value.count) + " (" + list + ")";
}

}  // namespace tanist
