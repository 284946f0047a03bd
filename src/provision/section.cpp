// SPDX-License-Identifier: Apache-2.0
// Typed look-ups in one map of the topology file.
#include "provision/section.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/format.h"

namespace tanist::provision {

namespace {

bool is_letter_or_digit(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Values of wrong kind are shown, but never pages of them.
std::string shown(const Tree& value) {
  constexpr std::size_t length_max = 40;
  const auto text = text_form(value);
  return text.size() <= length_max ? text : text.substr(0, length_max) + "...";
}

}  // namespace

bool is_host_name(std::string_view text) {
  constexpr std::size_t length_max = 63;
  if (text.empty() || text.size() > length_max) return false;
  char before = '.';
  for (const char c : text) {
    const bool fits = is_letter_or_digit(c) || (c == '-' && before != '.') ||
                      (c == '.' && is_letter_or_digit(before));
    if (!fits) return false;
    before = c;
  }
  return is_letter_or_digit(text.back());
}

Section::Section(const Tree* tree, std::string path, Findings& findings)
    : path_(std::move(path)), findings_(findings) {
  if (tree == nullptr || tree->is_null()) return;
  if (tree->is_map()) {
    tree_ = tree;
  } else {
    findings_.add(path_, "has to hold `key: value` pairs");
  }
}

Section::~Section() {
  if (tree_ == nullptr) return;
  for (const auto& [key, value] : *tree_->as_map()) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    const auto meant = nearest(key, known_);
    findings_.add(path_of(key),
                  meant.empty()
                      ? format_text("unknown key; known here: {}", fmt::join(known_, ", "))
                      : format_text("unknown key; did you mean `{}`?", meant));
  }
}

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const Tree* Section::find(std::string_view key) {
  known_.emplace_back(key);
  const auto* value = tree_ == nullptr ? nullptr : tree_->find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Tree::List Section::list(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return {};
  if (const auto* items = value->as_list()) return *items;
  return {*value};
}

void Section::read(std::string_view key, std::string& target) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (!value->is_scalar()) return add(key, "has to be a single word");
  if (value->as_bool() != nullptr) {
    return add(key, "is read by YAML as true or false; put it in quotes");
  }
  target = text_form(*value);
}

void Section::read(std::string_view key, bool& target) {
  const auto* value = find(key);
  if (value == nullptr) return;
  const auto flag = to_bool(*value);
  if (!flag) return add(key, format_text("'{}' is neither true nor false", shown(*value)));
  target = *flag;
}

void Section::read(std::string_view key, int& target, int smallest, int largest) {
  const auto* value = find(key);
  if (value == nullptr) return;
  const auto number = value->as_real() != nullptr ? std::nullopt : to_int(*value);
  if (!number || *number < smallest || *number > largest) {
    return add(key, format_text("'{}' is no whole number from {} to {}", shown(*value), smallest,
                                largest));
  }
  target = static_cast<int>(*number);
}

void Section::read_port(std::string_view key, std::uint16_t& target) {
  int port = target;
  read(key, port, 1, std::numeric_limits<std::uint16_t>::max());
  target = static_cast<std::uint16_t>(port);
}

void Section::read_path(std::string_view key, std::string& target) {
  const auto* value = find(key);
  if (value == nullptr) return;
  const auto* text = value->as_string();
  const bool fits =
      text != nullptr && text->size() > 1 && text->front() == '/' &&
      std::ranges::all_of(*text, [](char c) {
        return is_letter_or_digit(c) || std::string("/._-+").find(c) != std::string::npos;
      });
  if (!fits) {
    return add(key,
               format_text("'{}' is no absolute path of letters, digits and /._-+", shown(*value)));
  }
  target = text->substr(0, text->find_last_not_of('/') + 1);
}

}  // namespace tanist::provision
