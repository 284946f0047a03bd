// SPDX-License-Identifier: Apache-2.0
// Writing and reading of libpq's connection strings.
#include "sql/conninfo.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>

namespace tanist::sql {

namespace {

// Contract postgres 11.1; the order never changes, so that texts can be compared by people.
constexpr std::array<std::string_view, 20> keyword_order{"dbname",
                                                         "user",
                                                         "passfile",
                                                         "password",
                                                         "host",
                                                         "port",
                                                         "sslmode",
                                                         "sslcompression",
                                                         "sslcert",
                                                         "sslkey",
                                                         "sslpassword",
                                                         "sslrootcert",
                                                         "sslcrl",
                                                         "sslcrldir",
                                                         "application_name",
                                                         "krbsrvname",
                                                         "gssencmode",
                                                         "channel_binding",
                                                         "target_session_attrs",
                                                         "sslnegotiation"};

struct NewKeyword {
  std::string_view name;
  std::int64_t first_major;
};

constexpr std::array<NewKeyword, 5> newer_keywords{{{"gssencmode", 12},
                                                    {"channel_binding", 13},
                                                    {"sslpassword", 13},
                                                    {"sslcrldir", 14},
                                                    {"sslnegotiation", 17}}};

bool is_space(char c) { return std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos; }

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\'' || c == '\\' || is_space(c)) text += '\\';
    text += c;
  }
  return text;
}

void append(std::string& text, std::string_view keyword, std::string_view value) {
  if (value.empty()) return;
  if (!text.empty()) text += ' ';
  text.append(keyword).append("=").append(escaped(value));
}

}  // namespace

std::string format_conninfo(const Keywords& keywords) {
  std::string text;
  for (const auto keyword : keyword_order) {
    const auto at = keywords.find(std::string(keyword));
    if (at != keywords.end()) append(text, keyword, at->second);
  }
  for (const auto& [keyword, value] : keywords) {
    if (std::ranges::find(keyword_order, keyword) == keyword_order.end()) {
      append(text, keyword, value);
    }
  }
  return text;
}

// ---- Reading ---------------------------------------------------------------------------------

namespace {

// Reads keyword = value pairs, one after the other.
class PairReader {
 public:
  explicit PairReader(std::string_view text) : text_(text) {}

  bool at_end() {
    skip_spaces();
    return at_ == text_.size();
  }

  Result<std::string> keyword() {
    const auto start = at_;
    while (at_ < text_.size() && text_[at_] != '=' && !is_space(text_[at_])) ++at_;
    std::string name(text_.substr(start, at_ - start));
    skip_spaces();
    if (name.empty() || at_ == text_.size() || text_[at_] != '=') {
      return fail(Errc::invalid, "a connection string lacks \"=\" after a keyword");
    }
    ++at_;
    skip_spaces();
    return name;
  }

  Result<std::string> value() {
    const bool quoted = at_ < text_.size() && text_[at_] == '\'';
    if (quoted) ++at_;
    std::string value;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quoted ? c == '\'' : is_space(c)) break;
      if (c == '\\' && ++at_ == text_.size()) break;
      value += text_[at_];
    }
    if (quoted && at_ >= text_.size()) {
      return fail(Errc::invalid, "a connection string has an unterminated quoted value");
    }
    if (quoted) ++at_;
    return value;
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<Keywords> parse_pairs(std::string_view text) {
  Keywords keywords;
  PairReader reader(text);
  while (!reader.at_end()) {
    auto keyword = reader.keyword();
    if (!keyword) return pass_on(keyword.error());
    auto value = reader.value();
    if (!value) return pass_on(value.error());
    keywords.insert_or_assign(std::move(*keyword), std::move(*value));
  }
  return keywords;
}

// libpq is the only authority on its URLs: on where one host ends, say, when an @ comes late.
Result<Keywords> parse_url(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return fail(Errc::invalid, "a connection URL holds a zero byte");
  }
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(std::string(text).c_str(), nullptr), &PQconninfoFree);
  if (options == nullptr) {
    return fail(Errc::invalid,
                "libpq cannot read the connection URL: a broken %-escape, a parameter without a "
                "value or one that this libpq does not know");
  }
  Keywords keywords;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view value = option->val != nullptr ? option->val : "";
    if (!value.empty()) keywords.emplace(option->keyword, value);
  }
  return keywords;
}

}  // namespace

Result<Keywords> parse_conninfo(std::string_view text) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (text.starts_with(scheme)) return parse_url(text);
  }
  return parse_pairs(text);
}

void drop_newer_keywords(Keywords& keywords, std::int64_t major_version) {
  for (const auto& [name, first_major] : newer_keywords) {
    if (major_version < first_major) keywords.erase(std::string(name));
  }
}

namespace {

std::vector<std::string> comma_list(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const auto comma = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, comma));
    if (comma == text.size()) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::string value_of(const Keywords& keywords, const std::string& keyword) {
  const auto at = keywords.find(keyword);
  return at == keywords.end() ? std::string() : at->second;
}

}  // namespace

std::vector<HostAndPort> hosts_of(const Keywords& keywords) {
  const auto hosts = comma_list(value_of(keywords, "host"));
  const auto ports = comma_list(value_of(keywords, "port"));
  std::vector<HostAndPort> pairs;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const auto& port = ports.size() == 1 ? ports[0] : i < ports.size() ? ports[i] : std::string();
    pairs.push_back({hosts[i], port});
  }
  return pairs;
}

std::string format_options(const std::map<std::string, std::string>& settings) {
  std::string text;
  for (const auto& [name, value] : settings) {
    if (!text.empty()) text += ' ';
    text += "-c " + name + "=" + escaped(value);
  }
  return text;
}

}  // namespace tanist::sql
