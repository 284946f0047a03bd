// SPDX-License-Identifier: Apache-2.0
// What `doctor` has found out, and the rules by which it judges that. Gathering is done elsewhere
// (verb_doctor.cpp); here everything is pure. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "ctl/reading.h"
#include "store/checkup.h"

namespace tanist::ctl {

enum class Grade {
  good,
  warning,  // works, and should be changed
  wrong,
};

constexpr auto names_of(Grade) {
  using G = Grade;
  return std::array{EnumName<G>{G::good, "ok"}, EnumName<G>{G::warning, "warning"},
                    EnumName<G>{G::wrong, "wrong"}};
}

struct Finding {
  Grade grade = Grade::good;
  std::string subject;  // "etcd 10.0.0.1:2379", "member pg-2", "setting ttl"
  std::string text;     // what is so
  std::string remedy;   // what to do; empty when nothing is to be done
};
using Findings = std::vector<Finding>;

// What GET /patroni of a member told.
struct MemberAnswer {
  std::string trouble;  // why there is no usable answer; empty = there is one
  int status = 0;
  Tree document;
  // Its clock against ours; nothing when the answer had no time.
  std::optional<Duration> clock_ahead;
  Duration uncertainty{0};  // of that
};

// One certificate of one file that the configuration names.
struct CertificateFile {
  std::string setting;  // "restapi.certfile"
  std::string path;
  std::string trouble;  // it cannot be read, or holds no certificate; empty otherwise
  std::string name;     // common name
  WallTime from;
  WallTime until;
};

Findings judge_store(const store::StoreReport& report);
// The election timeout against ttl (safety rules, 1.6).
Findings judge_timing(const store::StoreReport& report, const Reading& cluster);
Findings judge_certificates(const std::vector<CertificateFile>& files, WallTime now,
                            std::chrono::days notice);
// The dynamic configuration: types, bounds, and what does not go together.
Findings judge_settings(const Reading& cluster);
// Leader, replicas, timelines, lag, and what waits for an operator.
Findings judge_replication(const Reading& cluster);
Findings judge_member(const MemberView& member, const MemberAnswer& answer);
// Members against each other: versions.
Findings judge_versions(const std::map<MemberName, MemberAnswer>& answers);

// The time in "Sun, 06 Nov 1994 08:49:37 GMT", as HTTP answers carry it.
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace tanist::ctl
