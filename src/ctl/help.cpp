// SPDX-License-Identifier: Apache-2.0
// Help texts. Pure; any thread.
#include "ctl/help.h"

#include <algorithm>

namespace tanist::ctl {

namespace {

constexpr std::size_t width = 80;
constexpr std::size_t column_max = 30;  // where explanations begin at the latest

struct Line {
  std::string name;
  std::string text;
};

std::string option_names(const OptionRow& option) {
  std::string out;
  for (const auto& name : option.names) {
    // Short names first, as people look for them.
    out = name.starts_with("--") ? out + (out.empty() ? "" : ", ") + name
                                 : name + (out.empty() ? "" : ", ") + out;
  }
  const auto value = option.kind == ValueKind::word ? std::string("WORD") : value_title(option);
  return value.empty() ? out : out + " " + value;
}

std::string option_text(const OptionRow& option) {
  if (option.words.empty()) return option.help;
  std::string words;
  for (const auto& word : option.words) words += (words.empty() ? "" : ", ") + word;
  return option.help + ": " + words;
}

std::string block(std::string_view title, const std::vector<Line>& lines) {
  if (lines.empty()) return {};
  std::size_t column = 0;
  for (const auto& line : lines) column = std::max(column, line.name.size() + 4);
  column = std::min(column, column_max);
  std::string out = "\n" + std::string(title) + ":\n";
  for (const auto& line : lines) {
    auto text = wrapped(line.text, width, column);
    const auto name = "  " + line.name;
    if (name.size() + 2 <= column) text.replace(0, name.size(), name);
    out += name.size() + 2 <= column ? text : name + "\n" + text;
  }
  return out;
}

std::string example_block(const std::vector<std::string>& examples) {
  if (examples.empty()) return {};
  std::string out = "\nExamples:\n";
  for (const auto& example : examples) out += "  " + example + "\n";
  return out;
}

std::vector<Line> lines_of(const std::vector<OptionRow>& options) {
  std::vector<Line> lines;
  for (const auto& option : options) lines.push_back({option_names(option), option_text(option)});
  lines.push_back({option_names(help_option()), help_option().help});
  return lines;
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::string line;
  const auto end_line = [&] {
    out += line.empty() ? "\n" : std::string(indent, ' ') + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    const auto word = text.substr(0, end);
    const bool fits = line.empty() || indent + line.size() + 1 + word.size() <= columns;
    if (!fits) end_line();
    if (!word.empty()) line += (line.empty() ? "" : " ") + std::string(word);
    if (end < text.size() && text[end] == '\n') end_line();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  end_line();
  return out;
}

std::string help_text(std::string_view program, const CommandRow* command) {
  auto out = "Usage: " + usage_of(program, command) + "\n\n";
  if (command == nullptr) {
    out += wrapped(std::string(tool_purpose()) + ".", width, 2);
    out += block("Options", lines_of(global_options()));
    std::vector<Line> commands;
    for (const auto& row : command_table()) commands.push_back({row.name, row.purpose});
    out += block("Commands", commands);
    return out + "\n" + wrapped(tool_details(), width, 0) + example_block(tool_examples());
  }
  out += wrapped(command->purpose + ".", width, 2);
  std::vector<Line> arguments;
  for (const auto& row : command->arguments) arguments.push_back({argument_title(row), row.help});
  out += block("Arguments", arguments);
  out += block("Options", lines_of(command->options));
  if (!command->details.empty()) out += "\n" + wrapped(command->details, width, 0);
  return out + example_block(command->examples);
}

}  // namespace tanist::ctl
