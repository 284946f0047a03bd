// SPDX-License-Identifier: Apache-2.0
// Where secrets hide, and what stands in their place. One thread.
#include "journal/mask.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/json.h"

namespace tanist::journal {

namespace {

constexpr std::string_view stars = "********";
constexpr std::size_t numbers_max = 1000;
constexpr std::array<std::string_view, 6> secret_words{"password", "passwd",     "secret",
                                                       "token",    "passphrase", "credential"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool may_hold_secret(std::string_view text) {
  return text.find("://") != std::string_view::npos ||
         is_secret_name(text);  // "password=...", {"password":...}
}

// The end of a value in a connection string or a command: quoted, or up to a blank.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  const char quote = at < text.size() && (text[at] == '\'' || text[at] == '"') ? text[at] : '\0';
  if (quote == '\0') return std::min(text.find_first_of(" \t\r\n&;,'\"", at), text.size());
  for (auto end = at + 1; end < text.size(); ++end) {
    if (text[end] == '\\') {
      ++end;
    } else if (text[end] == quote) {
      return end + 1;
    }
  }
  return text.size();
}

}  // namespace

bool is_secret_name(std::string_view name) {
  const auto plain = lower(name);
  return std::ranges::any_of(
      secret_words, [&](std::string_view word) { return plain.find(word) != std::string::npos; });
}

std::string SecretMask::mask_of(std::string_view secret) {
  if (secret.empty() || secret.starts_with(stars)) return std::string(secret);
  const auto at = numbers_.find(secret);
  if (at != numbers_.end()) return std::string(stars) + std::to_string(at->second);
  if (numbers_.size() >= numbers_max) return std::string(stars);
  numbers_.emplace(secret, numbers_.size() + 1);
  return std::string(stars) + std::to_string(numbers_.size());
}

// Everything under a secret name: of a map or list each scalar in it.
void SecretMask::hide_value(Tree& value) {
  if (auto* map = value.as_map()) {
    for (auto& [name, item] : *map) hide_value(item);
  } else if (auto* list = value.as_list()) {
    for (auto& item : *list) hide_value(item);
  } else if (!value.is_null() && value.as_bool() == nullptr) {
    value = mask_of(text_form(value));
  }
}

// "scheme://user:secret@host" and "password=secret", each wherever it stands.
std::string SecretMask::hide_in_text(std::string_view text) {
  std::string out;
  const auto plain = lower(text);
  std::size_t at = 0;
  while (at < text.size()) {
    if (plain.compare(at, 3, "://") == 0) {
      const auto end = std::min(plain.find_first_of("/?# \t\r\n\"'", at + 3), plain.size());
      const auto authority = text.substr(at + 3, end - at - 3);
      const auto sign = authority.rfind('@');
      const auto colon = authority.substr(0, sign).find(':');
      out += "://";
      at += 3;
      if (sign == std::string_view::npos || colon == std::string_view::npos) continue;
      out += std::string(authority.substr(0, colon + 1)) +
             mask_of(authority.substr(colon + 1, sign - colon - 1));
      at += sign;
      continue;
    }
    const auto word = std::ranges::find_if(secret_words, [&](std::string_view candidate) {
      return plain.compare(at, candidate.size(), candidate) == 0;
    });
    if (word == secret_words.end()) {
      out += text[at++];
      continue;
    }
    out += text.substr(at, word->size());
    at += word->size();
    const auto sign = plain.find_first_not_of(" \t", at);
    if (sign == std::string::npos || plain[sign] != '=') continue;
    const auto value = std::min(plain.find_first_not_of(" \t", sign + 1), plain.size());
    const auto end = end_of_value(text, value);
    out += std::string(text.substr(at, value - at)) + mask_of(text.substr(value, end - value));
    at = end;
  }
  return out;
}

std::string SecretMask::hidden(std::string_view text) {
  if (!may_hold_secret(text)) return std::string(text);
  if (text.starts_with('{') || text.starts_with('[')) {
    // A document on its way to or from the store. Rewritten only when something is hidden in it.
    if (auto document = parse_json(text)) {
      const auto before = *document;
      hide(*document);
      return *document == before ? std::string(text) : to_json(*document);
    }
  }
  return hide_in_text(text);
}

void SecretMask::hide(Tree& tree) {
  if (auto* map = tree.as_map()) {
    for (auto& [name, item] : *map) {
      if (is_secret_name(name)) {
        hide_value(item);
      } else {
        hide(item);
      }
    }
  } else if (auto* list = tree.as_list()) {
    for (auto& item : *list) hide(item);
  } else if (const auto* text = tree.as_string(); text != nullptr && may_hold_secret(*text)) {
    tree = hidden(*text);
  }
}

}  // namespace tanist::journal
