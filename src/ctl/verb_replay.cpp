// SPDX-License-Identifier: Apache-2.0
// `replay`: decides again over a journal and shows where the decisions differ.
#include "base/format.h"
#include "base/json.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"
#include "journal/reader.h"
#include "journal/replay.h"
#include "journal/story.h"

namespace tanist::ctl {

namespace {

constexpr std::size_t value_bytes_max = 200;

std::string shown(const Tree& value) {
  auto text = value.is_null() ? std::string("(absent)") : to_json(value);
  if (text.size() > value_bytes_max) text = text.substr(0, value_bytes_max) + "...";
  return text;
}

void show(const journal::Entry& entry, const std::vector<journal::Difference>& differences) {
  print_line(format_text("{} {}", to_iso8601(entry.at),
                         journal::words_of(std::get<journal::Decided>(entry.body))));
  for (const auto& difference : differences) {
    print_line(format_text("  {}", difference.path));
    print_line(format_text("    was {}", shown(difference.before)));
    print_line(format_text("    now {}", shown(difference.now)));
  }
}

}  // namespace

Result<void> replay(const ReplayOptions& options) {
  std::size_t decisions = 0;
  std::size_t different = 0;
  std::string versions;
  const auto take = [&](const journal::Entry& entry) {
    if (const auto* begun = std::get_if<journal::Begun>(&entry.body)) versions = begun->version;
    const auto* decided = std::get_if<journal::Decided>(&entry.body);
    if (decided == nullptr) return;
    ++decisions;
    const auto differences = journal::decide_again(*decided);
    if (differences.empty()) return;
    ++different;
    show(entry, differences);
  };
  const auto report = journal::read_journal_file(options.file, take);
  if (!report) return pass_on(report.error());
  print_line(format_text("{}: {}; {} decisions of tanist {} made again by tanist {}, {} differ",
                         options.file, report->text(), decisions, versions, TANIST_VERSION,
                         different));
  if (different > 0) return fail(Errc::failed, "{} decisions differ", different);
  return {};
}

}  // namespace tanist::ctl
