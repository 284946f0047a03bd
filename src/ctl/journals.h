// SPDX-License-Identifier: Apache-2.0
// The nodes' journals and the store's digests, gathered and put together. Blocks the caller.
#pragma once

#include <string>
#include <vector>

#include "ctl/members.h"
#include "ctl/reading.h"
#include "ctl/report.h"

namespace tanist::ctl {

// What is gathered before it is put together.
struct Gathering {
  journal::Stories stories;
  std::vector<journal::Incident> digests;
  std::vector<std::string> sources;
};

// From files instead of members. Errors name the file.
Result<void> read_files(Gathering& gathering, const std::vector<std::string>& files);

// From one member, by GET /journal.
void read_member(Gathering& gathering, Members& members, const MemberView& member);

// From all members that answer, and from the store's key; who does not is named in `sources`.
void read_cluster(Gathering& gathering, Members& members, const Reading& reading);

Report put_together(Gathering gathering, std::string cluster);

}  // namespace tanist::ctl
