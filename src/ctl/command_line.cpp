// SPDX-License-Identifier: Apache-2.0
// Reading of the command line. Pure; any thread.
#include "ctl/command_line.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"

namespace tanist::ctl {

namespace {

using Words = std::vector<std::string>;

std::string listed(const Words& words) {
  std::string out;
  for (const auto& word : words) out += format_text("{}'{}'", out.empty() ? "" : ", ", word);
  return out;
}

template <class Number>
bool is_number(const std::string& text) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end;
}

// Why `value` is none for the option; empty = it is one.
std::string complaint_about(const OptionRow& option, const std::string& value) {
  if (option.kind == ValueKind::word && std::ranges::count(option.words, value) == 0) {
    return format_text("'{}' is not one of {}.", value, listed(option.words));
  }
  if (option.kind == ValueKind::integer && !is_number<std::int64_t>(value)) {
    return format_text("'{}' is not a valid integer.", value);
  }
  if (option.kind == ValueKind::real && !is_number<double>(value)) {
    return format_text("'{}' is not a valid float.", value);
  }
  return {};
}

// Takes words from the front: the program's first, then the command's.
class Reader {
 public:
  Reader(const Words& words, std::string_view program) : words_(words), program_(program) {}

  Result<CommandLine> read() {
    auto done = take_words(global_options(), out_.global);
    if (!done) return pass_on(done.error());
    if (out_.command == nullptr) return std::move(out_);
    done = take_words(out_.command->options, out_.given);
    if (!done) return pass_on(done.error());
    if (out_.wants_help) return std::move(out_);
    done = assign_arguments();
    if (!done) return pass_on(done.error());
    return std::move(out_);
  }

 private:
  tl::unexpected<Error> refuse(const std::string& text) const {
    return fail(Errc::invalid, "{}", usage_error(program_, out_.command, text));
  }

  // Until the command's name while there is none, else to the end.
  Result<void> take_words(const std::vector<OptionRow>& options, Given& given) {
    const bool seeks_command = out_.command == nullptr;
    bool options_ended = false;
    while (at_ < words_.size()) {
      const auto word = words_[at_++];
      if (!options_ended && word == "--") {
        options_ended = true;
      } else if (!options_ended && word.size() > 1 && word.front() == '-') {
        const auto done =
            word[1] == '-' ? take_long(word, options, given) : take_short(word, options, given);
        if (!done) return done;
        if (seeks_command && out_.wants_help) return {};
      } else if (!seeks_command) {
        free_words_.push_back(word);
      } else {
        out_.command = find_command(word);
        if (out_.command == nullptr) return refuse(format_text("No such command '{}'.", word));
        return {};
      }
    }
    return {};
  }

  static const OptionRow* find(const std::vector<OptionRow>& options, const std::string& name) {
    const auto at = std::ranges::find_if(options, [&](const OptionRow& option) {
      return std::ranges::count(option.names, name) > 0;
    });
    return at == options.end() ? nullptr : &*at;
  }

  Result<void> take_long(const std::string& word, const std::vector<OptionRow>& options,
                         Given& given) {
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const bool has_value = equals != std::string::npos;
    const auto* option = name == "--help" ? &help_option() : find(options, name);
    if (option == nullptr) return refuse("No such option: " + name);
    if (option->kind != ValueKind::flag) {
      if (has_value) return take_value(*option, word.substr(equals + 1), given);
      return take_next_value(*option, name, given);
    }
    if (has_value) return refuse(format_text("Option '{}' does not take a value.", name));
    set_flag(*option, given);
    return {};
  }

  // "-ef" is "-e -f"; "-fjson" is "-f json".
  Result<void> take_short(const std::string& word, const std::vector<OptionRow>& options,
                          Given& given) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string name{'-', word[i]};
      const auto* option = find(options, name);
      if (option == nullptr) return refuse("No such option: " + name);
      if (option->kind == ValueKind::flag) {
        set_flag(*option, given);
      } else if (i + 1 < word.size()) {
        return take_value(*option, word.substr(i + 1), given);
      } else {
        return take_next_value(*option, name, given);
      }
    }
    return {};
  }

  void set_flag(const OptionRow& option, Given& given) {
    if (&option == &help_option()) {
      out_.wants_help = true;
    } else {
      given.add(option.key(), "");
    }
  }

  Result<void> take_next_value(const OptionRow& option, const std::string& name, Given& given) {
    if (at_ == words_.size()) return refuse(format_text("Option '{}' requires an argument.", name));
    return take_value(option, words_[at_++], given);
  }

  Result<void> take_value(const OptionRow& option, const std::string& value, Given& given) {
    const auto complaint = complaint_about(option, value);
    if (!complaint.empty()) {
      return refuse(format_text("Invalid value for {}: {}", quoted_names(option), complaint));
    }
    given.add(option.key(), value);
    return {};
  }

  // Rows before the one that takes many are filled from the front, rows behind it from the back.
  Result<void> assign_arguments() {
    const auto& rows = out_.command->arguments;
    const auto many = std::ranges::find_if(rows, &ArgumentRow::is_many);
    Words words = free_words_;
    for (auto row = rows.begin(); row != many; ++row) {
      const auto done = assign(*row, words, false);
      if (!done) return done;
    }
    if (many != rows.end()) {
      for (auto row = rows.end() - 1; row != many; --row) {
        const auto done = assign(*row, words, true);
        if (!done) return done;
      }
      for (const auto& word : words) out_.given.add(many->title, word);
      words.clear();
    }
    if (words.empty()) return {};
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return refuse(
        format_text("Got unexpected extra argument{} ({})", words.size() > 1 ? "s" : "", text));
  }

  Result<void> assign(const ArgumentRow& row, Words& words, bool from_back) {
    const auto title = row.words.empty() ? row.title : argument_title(row);
    if (words.empty()) {
      if (!row.is_required) return {};
      std::string choices;
      for (const auto& word : row.words) {
        choices += (choices.empty() ? " Choose from:\n\t" : ",\n\t") + word;
      }
      return refuse(format_text("Missing argument '{}'.{}", title, choices));
    }
    const auto word = from_back ? words.back() : words.front();
    words.erase(from_back ? words.end() - 1 : words.begin());
    if (!row.words.empty() && std::ranges::count(row.words, word) == 0) {
      return refuse(format_text("Invalid value for '{}': '{}' is not one of {}.", title, word,
                                listed(row.words)));
    }
    out_.given.add(row.title, word);
    return {};
  }

  const Words& words_;
  std::string_view program_;
  std::size_t at_ = 0;
  Words free_words_;
  CommandLine out_;
};

}  // namespace

std::optional<std::string> Given::text(const std::string& name) const {
  const auto at = values_.find(name);
  if (at == values_.end()) return std::nullopt;
  return at->second.back();
}

std::string Given::text_or(const std::string& name, const std::string& fallback) const {
  return text(name).value_or(fallback);
}

std::vector<std::string> Given::all(const std::string& name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? std::vector<std::string>{} : at->second;
}

std::string quoted_names(const OptionRow& option) {
  std::string out;
  for (const auto& name : option.names) {
    out += format_text("{}'{}'", out.empty() ? "" : " / ", name);
  }
  return out;
}

std::string usage_error(std::string_view program, const CommandRow* command,
                        std::string_view text) {
  auto path = std::string(program);
  if (command != nullptr) path += " " + command->name;
  return format_text("Usage: {}\nTry '{} --help' for help.\n\nError: {}",
                     usage_of(program, command), path, text);
}

Result<CommandLine> read_command_line(const Words& words, std::string_view program) {
  return Reader(words, program).read();
}

}  // namespace tanist::ctl
