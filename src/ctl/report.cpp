// SPDX-License-Identifier: Apache-2.0
// Three forms of one report. Pure; any thread.
#include "ctl/report.h"

#include <algorithm>

#include "base/format.h"
#include "base/json.h"

namespace tanist::ctl {

namespace {

using journal::ClockOffset;
using journal::Incident;
using journal::StoryLine;

// Around a change: what led to it, and how the others took it.
constexpr auto before_change = seconds(5);
constexpr auto after_change = seconds(30);
// A clock this far off is worth a word.
constexpr auto offset_worth_telling = milliseconds(20);

std::string ms_text(const std::optional<std::int64_t>& ms) {
  return ms ? format_text("{} ms", *ms) : std::string("not known");
}

std::string lease_text(const journal::Phases& phases) {
  if (!phases.lease) return "not known";
  return phases.lease_is_estimated ? format_text("at most {} ms (its ttl)", *phases.lease)
                                   : ms_text(phases.lease);
}

struct PhaseRow {
  std::string_view name;
  std::string value;
  std::string_view meaning;
};

std::vector<PhaseRow> rows_of(const journal::Phases& phases) {
  return {{"detection", ms_text(phases.detection), "first sign of trouble to the decision"},
          {"lease", lease_text(phases), "from there to the end of the old lock"},
          {"race", ms_text(phases.race), "from there to the new lock"},
          {"promote", ms_text(phases.promote), "from there to a writable server"},
          {"routing", ms_text(phases.routing), "from there to the first load balancer told so"},
          {"total", format_text("{} ms", journal::total_ms(phases)), "of what is known"}};
}

std::string loss_text(const Incident& incident) {
  if (incident.lost_bytes) return format_text("{} bytes", *incident.lost_bytes);
  const auto behind = incident.published > incident.taken_over_at
                          ? incident.published.value() - incident.taken_over_at.value()
                          : 0;
  return format_text(
      "not known before {} is back: it had published {}, the new leader had {} ({} bytes less)",
      incident.old_leader.value(), to_text(incident.published), to_text(incident.taken_over_at),
      behind);
}

std::string title_of(const Incident& incident) {
  const auto& old_leader = incident.old_leader.value();
  return format_text("{} took over{} at {}", incident.new_leader.value(),
                     old_leader.empty() ? "" : " from " + old_leader, incident.at);
}

std::string clock_text(const ClockOffset& clock) {
  if (clock.samples == 0) {
    return format_text("{}: its clock could not be compared, its times are as it wrote them",
                       clock.member.value());
  }
  const auto ms = static_cast<double>(clock.ahead.count()) / 1000;
  return format_text("{}: {:.1f} ms {} (by {} revisions of the store), corrected",
                     clock.member.value(), std::abs(ms), ms < 0 ? "behind" : "ahead",
                     clock.samples);
}

bool is_worth_telling(const ClockOffset& clock) {
  return clock.samples == 0 || std::chrono::abs(clock.ahead) > offset_worth_telling;
}

// "2026-11-26T13:00:01.123456+00:00" to its time of day with milliseconds.
std::string time_text(WallTime at) {
  return to_iso8601(std::chrono::floor<seconds>(at)).substr(0, 19) +
         format_text(".{:03}",
                     std::chrono::duration_cast<milliseconds>(at - std::chrono::floor<seconds>(at))
                         .count());
}

// ---- Text ------------------------------------------------------------------------------------

void add_incident(std::string& out, const Incident& incident) {
  const auto row = [&](std::string_view name, std::string_view text) {
    out += format_text("  {:<10} {}\n", name, text);
  };
  out += title_of(incident) + "\n";
  row("cause", journal::sentence_of(incident.cause, incident.old_leader));
  for (const auto& text : incident.evidence) row("evidence", text);
  for (const auto& phase : rows_of(incident.phases)) {
    row(phase.name, format_text("{:<14} {}", phase.value, phase.meaning));
  }
  row("lost WAL", loss_text(incident));
  for (const auto& voice : incident.voices) row(voice.member.value(), voice.text);
}

std::string plain_text(const Report& report) {
  if (report.incidents.empty() && report.timeline.empty()) return "nothing is known of a change\n";
  std::string out;
  for (const auto& incident : report.incidents) {
    add_incident(out, incident);
    out += "\n";
  }
  if (!report.timeline.empty()) out += "timeline (UTC)\n";
  for (const auto& line : report.timeline) {
    out += format_text("  {} {:<10} {}\n", time_text(line.at), line.member.value(), line.text);
    for (const auto& remark : line.remarks) out += format_text("  {:>35} {}\n", "-", remark);
  }
  for (const auto& clock : report.clocks) {
    if (is_worth_telling(clock)) out += "clock of " + clock_text(clock) + "\n";
  }
  for (const auto& source : report.sources) out += "source: " + source + "\n";
  return out;
}

// ---- Markdown --------------------------------------------------------------------------------

// A bar would end the cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

void add_incident_section(std::string& out, const Incident& incident) {
  out += format_text("## {}\n\n", title_of(incident));
  out +=
      format_text("**Cause:** {}.\n\n", journal::sentence_of(incident.cause, incident.old_leader));
  out += format_text("**Lost WAL:** {}.\n\n", loss_text(incident));
  if (!incident.evidence.empty()) out += "**Evidence:**\n\n";
  for (const auto& text : incident.evidence) out += format_text("- {}\n", text);
  out += "\n| phase | took | meaning |\n|---|---|---|\n";
  for (const auto& row : rows_of(incident.phases)) {
    out += format_text("| {} | {} | {} |\n", row.name, row.value, row.meaning);
  }
  out += "\n| node | decided |\n|---|---|\n";
  for (const auto& voice : incident.voices) {
    out += format_text("| {} | {} |\n", cell(voice.member.value()), cell(voice.text));
  }
  out += "\n";
}

std::string markdown(const Report& report) {
  auto out = format_text("# Changes of leadership in cluster {}\n\n", report.cluster);
  if (report.incidents.empty()) out += "None is known.\n\n";
  for (const auto& incident : report.incidents) add_incident_section(out, incident);
  if (!report.timeline.empty()) {
    out += "## Timeline\n\nTimes are UTC, by one clock.\n\n| time | node | what |\n|---|---|---|\n";
  }
  for (const auto& line : report.timeline) {
    out += format_text("| {} | {} | {} |\n", time_text(line.at), cell(line.member.value()),
                       cell(line.text));
  }
  out += "\n## Sources\n\n";
  for (const auto& source : report.sources) out += format_text("- {}\n", source);
  for (const auto& clock : report.clocks) out += format_text("- clock of {}\n", clock_text(clock));
  return out;
}

// ---- JSON ------------------------------------------------------------------------------------

Tree line_tree(const StoryLine& line) {
  Tree tree = Tree::map(
      {{"at", to_iso8601(line.at)}, {"member", line.member.value()}, {"text", line.text}});
  if (line.is_decision) tree.set("reason", name_of(line.reason));
  if (!line.remarks.empty()) tree.set("remarks", to_tree(line.remarks));
  return tree;
}

std::string json(const Report& report) {
  Tree incidents = Tree::list();
  for (const auto& incident : report.incidents) {
    auto tree = to_tree(incident);
    tree.set("cause_text", journal::sentence_of(incident.cause, incident.old_leader));
    tree.set("total_ms", journal::total_ms(incident.phases));
    incidents.push(std::move(tree));
  }
  Tree timeline = Tree::list();
  for (const auto& line : report.timeline) timeline.push(line_tree(line));
  return to_json(Tree::map({{"cluster", report.cluster},
                            {"incidents", std::move(incidents)},
                            {"timeline", std::move(timeline)},
                            {"clocks", to_tree(report.clocks)},
                            {"sources", to_tree(report.sources)}})) +
         "\n";
}

}  // namespace

Report last_change_of(Report report) {
  if (report.incidents.empty()) {
    report.timeline.clear();
    return report;
  }
  report.incidents.erase(report.incidents.begin(), report.incidents.end() - 1);
  const auto& incident = report.incidents.front();
  const auto parsed = parse_timestamp(incident.at);
  if (!parsed) return report;
  const auto& phases = incident.phases;
  const auto lead = milliseconds(phases.detection.value_or(0) + phases.lease.value_or(0) +
                                 phases.race.value_or(0));
  const auto from = parsed->time - lead - before_change;
  const auto until = parsed->time + after_change;
  std::erase_if(report.timeline,
                [&](const StoryLine& line) { return line.at < from || line.at > until; });
  return report;
}

std::vector<Incident> with_digests(std::vector<Incident> incidents,
                                   const std::vector<Incident>& digests) {
  for (const auto& digest : digests) {
    const auto known = std::ranges::find(incidents, digest.reign, &Incident::reign);
    if (known == incidents.end()) {
      incidents.push_back(digest);
    } else if (!known->phases.routing) {
      known->phases.routing = digest.phases.routing;
    }
  }
  std::ranges::sort(incidents, {}, &Incident::reign);
  return incidents;
}

std::string to_text(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::text: return plain_text(report);
    case ReportFormat::markdown: return markdown(report);
    case ReportFormat::json: return json(report);
  }
  return {};
}

std::string phases_sentence(const journal::Phases& phases) {
  std::string parts;
  const auto add = [&parts](const std::optional<std::int64_t>& ms, std::string_view what) {
    if (ms) parts += format_text("{}{} ms {}", parts.empty() ? "" : ", ", *ms, what);
  };
  add(phases.detection, "to the decision");
  add(phases.lease, "until the lock was free");
  add(phases.race, "to take it");
  add(phases.promote, "to promote");
  add(phases.routing, "until a load balancer was told");
  return format_text("No primary for {} ms: {}", journal::total_ms(phases), parts);
}

}  // namespace tanist::ctl
