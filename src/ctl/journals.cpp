// SPDX-License-Identifier: Apache-2.0
// Reading journals over REST and from files.
#include "ctl/journals.h"

#include "base/format.h"
#include "journal/digest.h"
#include "journal/reader.h"

namespace tanist::ctl {

namespace {

constexpr Duration journal_limit = seconds(15);

// Files of one node may be given in any order: the older one is written before the newer.
void add_story(Gathering& gathering, journal::StoryReader& reader) {
  const auto member = reader.member();
  auto& story = gathering.stories[member];
  story = journal::merged(story, reader.take_lines());
}

Result<std::string> journal_of(Members& members, const MemberView& member) {
  const auto answer = members.ask(
      member, {.method = "GET", .path = "/journal", .limit = journal_limit, .repeats = false});
  if (!answer) return pass_on(answer.error());
  if (answer->status != 200) {
    return fail(Errc::refused, "GET /journal: status code={}, {}", answer->status,
                answer->body.substr(0, 200));
  }
  return answer->body;
}

}  // namespace

void read_member(Gathering& gathering, Members& members, const MemberView& member) {
  const auto& name = member.name.value();
  if (!member.is_tanist()) {
    gathering.sources.push_back(name + ": not a member that keeps a journal");
    return;
  }
  const auto text = journal_of(members, member);
  if (!text) {
    gathering.sources.push_back(format_text("{}: no journal ({})", name, text.error().message));
    return;
  }
  journal::StoryReader reader;
  const auto report =
      journal::read_journal(*text, [&](const journal::Entry& entry) { reader.take(entry); });
  gathering.sources.push_back(
      format_text("{}: {}", name, report ? report->text() : report.error().message));
  if (report && report->entries > 0) add_story(gathering, reader);
}

Result<void> read_files(Gathering& gathering, const std::vector<std::string>& files) {
  for (const auto& file : files) {
    journal::StoryReader reader;
    const auto report =
        journal::read_journal_file(file, [&](const journal::Entry& entry) { reader.take(entry); });
    if (!report) return pass_on(report.error());
    gathering.sources.push_back(
        format_text("{}: {} of {}", file, report->text(), reader.member().value()));
    add_story(gathering, reader);
  }
  return {};
}

void read_cluster(Gathering& gathering, Members& members, const Reading& reading) {
  if (reading.view->digests) {
    gathering.digests = journal::digests_in(reading.view->digests->value);
  }
  gathering.sources.push_back(
      format_text("store: {} digests of changes of leadership", gathering.digests.size()));
  for (const auto& [name, member] : reading.view->members) read_member(gathering, members, member);
}

Report put_together(Gathering gathering, std::string cluster) {
  Report report{.cluster = std::move(cluster), .sources = std::move(gathering.sources)};
  report.clocks = journal::align_clocks(gathering.stories);
  report.incidents = with_digests(journal::incidents_in(gathering.stories), gathering.digests);
  report.timeline = journal::merged(gathering.stories);
  return report;
}

}  // namespace tanist::ctl
