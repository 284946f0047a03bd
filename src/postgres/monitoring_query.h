// SPDX-License-Identifier: Apache-2.0
// The one query of an observation (contract postgres 4.1 and 10.6) and what its answer means.
// Everything is schema-qualified. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/server_facts.h"
#include "sql/connection.h"

namespace tanist::postgres {

struct MonitoringParts {
  bool replication = false;  // WAL senders
  bool slots = false;
};

// Statements for Connection::script: the main row, then senders and slots as asked for.
// `server_version` as in 150002.
std::string monitoring_query(std::int64_t server_version, MonitoringParts parts);

struct MonitoringAnswer {
  QueryFacts facts;
  std::string configuration_loaded_at;  // changes with each reload that a session has seen
};

// Errc::invalid when the answer does not have the form that was asked for.
Result<MonitoringAnswer> read_monitoring(std::int64_t server_version, MonitoringParts parts,
                                         const std::vector<sql::Rows>& answer);

// A time as to_char gave it, without an all-zero fraction: the form that REST shows.
std::string without_zero_fraction(std::string time);

}  // namespace tanist::postgres
