// SPDX-License-Identifier: Apache-2.0
// Standard streams.
#include "ctl/terminal.h"

#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iostream>

#include "base/format.h"
#include "ctl/times.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

bool warnings_wanted = true;

Result<std::string> read_line() {
  std::string line;
  if (std::getline(std::cin, line)) return line;
  print("\n");
  return fail(Errc::cancelled, "Aborted!");
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void leave_aborted(int) {
  constexpr std::string_view text = "\nAborted!\n";
  // NOLINTNEXTLINE(bugprone-unused-return-value,cert-err33-c): nothing could be done about it
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
  _exit(1);
}

}  // namespace

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_line(std::string_view text) { print(std::string(text) + "\n"); }

void choose_log_level(std::string_view name) {
  const auto level = lower(std::string(name));
  if (level == "error" || level == "critical") warnings_wanted = false;
  if (level == "debug" || level == "info" || level == "warning") warnings_wanted = true;
}

void warn(std::string_view message) {
  if (!warnings_wanted) return;
  const auto line = format_text("{} - WARNING - {}\n", log_time_text(os::wall_now()), message);
  std::fputs(line.c_str(), stderr);
}

Result<std::string> ask_value(std::string_view text, const std::string& fallback) {
  print(format_text("{} [{}]: ", text, fallback));
  auto line = read_line();
  if (line && line->empty()) return fallback;
  return line;
}

Result<std::string> ask_for(std::string_view text) {
  while (true) {
    print(format_text("{}: ", text));
    auto line = read_line();
    if (!line || !line->empty()) return line;
  }
}

Result<std::string> ask_secret(std::string_view text) {
  print(format_text("{}: ", text));
  termios shown{};
  const bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
  if (!is_terminal) return read_line();
  auto hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  auto line = read_line();
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  print("\n");
  return line;
}

Result<bool> confirm(std::string_view text) {
  while (true) {
    print(format_text("{} [y/N]: ", text));
    const auto line = read_line();
    if (!line) return pass_on(line.error());
    const auto answer = lower(*line);
    if (answer == "y" || answer == "yes") return true;
    if (answer.empty() || answer == "n" || answer == "no") return false;
    print_line("Error: invalid input");
  }
}

Result<void> demand_consent(std::string_view text, std::string_view otherwise) {
  const auto consent = confirm(text);
  if (!consent) return pass_on(consent.error());
  if (!*consent) return fail(Errc::refused, "{}", otherwise);
  return {};
}

bool output_is_terminal() { return isatty(STDOUT_FILENO) == 1; }

void abort_on_interrupt() {
  struct sigaction action{};
  action.sa_handler = leave_aborted;
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace tanist::ctl
