// SPDX-License-Identifier: Apache-2.0
// What `explain` tells: changes of leadership and the timeline around them, as text for a terminal,
// Markdown for an incident report, or JSON for programs. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/incident.h"

namespace tanist::ctl {

enum class ReportFormat { text, json, markdown };

constexpr auto names_of(ReportFormat) {
  using F = ReportFormat;
  return std::array{EnumName<F>{F::text, "text"}, EnumName<F>{F::json, "json"},
                    EnumName<F>{F::markdown, "markdown"}};
}

struct Report {
  std::string cluster;
  std::vector<journal::Incident> incidents;  // oldest first
  std::vector<journal::StoryLine> timeline;  // by aligned time
  std::vector<journal::ClockOffset> clocks;
  std::vector<std::string> sources;  // "node1: 12 entries from its REST API"
};

// The part of it that belongs to the last change of leadership.
Report last_change_of(Report report);

// Incidents of the journals, and of the digests those that no journal tells of. What only the
// digest knows of an incident of both is added.
std::vector<journal::Incident> with_digests(std::vector<journal::Incident> incidents,
                                            const std::vector<journal::Incident>& digests);

std::string to_text(const Report& report, ReportFormat format);

// "No primary for 430 ms: 210 ms until the lock was free, 60 ms ..."; what is known of it.
std::string phases_sentence(const journal::Phases& phases);

}  // namespace tanist::ctl
