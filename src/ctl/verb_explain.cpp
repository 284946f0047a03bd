// SPDX-License-Identifier: Apache-2.0
// `explain`: gathers the nodes' journals and the store's digests, and tells what happened.
#include "base/format.h"
#include "ctl/cluster.h"
#include "ctl/members.h"
#include "ctl/report.h"
#include "ctl/terminal.h"
#include "ctl/times.h"
#include "ctl/verbs.h"
#include "journal/digest.h"
#include "journal/reader.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

constexpr Duration journal_limit = seconds(15);

// What is gathered before it is put together.
struct Gathering {
  journal::Stories stories;
  std::vector<journal::Incident> digests;
  std::vector<std::string> sources;
};

// Files of one node may be given in any order: the older one is written before the newer.
void add_story(Gathering& gathering, journal::StoryReader& reader) {
  const auto member = reader.member();
  auto& story = gathering.stories[member];
  story = journal::merged(story, reader.take_lines());
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

Result<void> read_cluster(Gathering& gathering, const ToolConfig& config, const std::string& name) {
  auto cluster = Cluster::open(config, name);
  if (!cluster) return pass_on(cluster.error());
  auto members = Members::make(config);
  if (!members) return pass_on(members.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  if (reading->view->digests) {
    gathering.digests = journal::digests_in(reading->view->digests->value);
  }
  gathering.sources.push_back(
      format_text("store: {} digests of changes of leadership", gathering.digests.size()));
  for (const auto& [member_name, member] : reading->view->members) {
    read_member(gathering, *members, member);
  }
  return {};
}

Report put_together(Gathering gathering, std::string cluster) {
  Report report{.cluster = std::move(cluster), .sources = std::move(gathering.sources)};
  report.clocks = journal::align_clocks(gathering.stories);
  report.incidents = with_digests(journal::incidents_in(gathering.stories), gathering.digests);
  report.timeline = journal::merged(gathering.stories);
  return report;
}

// Seconds before now, or a time.
Result<WallTime> since_of(const std::string& text) {
  if (const auto ago = to_int(Tree(text)); ago && *ago >= 0) return os::wall_now() - seconds(*ago);
  const auto schedule = parse_schedule(text, os::wall_now());
  if (!schedule) return pass_on(schedule.error());
  return *schedule ? (*schedule)->time : os::wall_now();
}

Report since(Report report, WallTime begin) {
  std::erase_if(report.timeline, [&](const auto& line) { return line.at < begin; });
  std::erase_if(report.incidents, [&](const auto& incident) {
    const auto at = parse_timestamp(incident.at);
    return at && at->time < begin;
  });
  return report;
}

}  // namespace

Result<void> explain(const ToolConfig& config, const ExplainOptions& options) {
  Gathering gathering;
  std::string name = options.cluster.value_or(config.scope);
  if (!options.files.empty()) {
    if (auto read = read_files(gathering, options.files); !read) return read;
  } else {
    const auto given = config.cluster_name(options.cluster);
    if (!given) return pass_on(given.error());
    name = *given;
    if (auto read = read_cluster(gathering, config, name); !read) return read;
  }
  auto report = put_together(std::move(gathering), name);
  if (options.since) {
    const auto begin = since_of(*options.since);
    if (!begin) return pass_on(begin.error());
    report = since(std::move(report), *begin);
  } else {
    report = last_change_of(std::move(report));
  }
  print(to_text(report, options.format));
  return {};
}

}  // namespace tanist::ctl
