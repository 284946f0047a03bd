// SPDX-License-Identifier: Apache-2.0
// Which values are written, moved to a limit, or dropped.
#include "postgres/parameter_check.h"

#include <gtest/gtest.h>

#include "postgres/parameter_catalogue.h"
#include "postgres/parameter_value.h"

namespace tanist::postgres {
namespace {

struct Row {
  const char* name;
  const char* value;
  int major;
  Verdict verdict;
  const char* result;
};

class ParameterCheck : public testing::TestWithParam<Row> {};

TEST_P(ParameterCheck, JudgesByTypeRangeAndVersion) {
  const auto& row = GetParam();
  const auto checked = check_parameter(row.name, row.value, row.major);
  EXPECT_EQ(checked.verdict, row.verdict) << row.name;
  EXPECT_EQ(checked.value, row.result) << row.name;
  EXPECT_EQ(checked.warning.empty(),
            row.verdict == Verdict::good || row.verdict == Verdict::not_known);
}

constexpr auto good = Verdict::good;
constexpr auto adjusted = Verdict::adjusted;
constexpr auto invalid = Verdict::invalid;
constexpr auto not_known = Verdict::not_known;

INSTANTIATE_TEST_SUITE_P(
    Rows, ParameterCheck,
    testing::Values(Row{"max_connections", "100", 15, good, "100"},
                    Row{"MAX_Connections", "0", 15, adjusted, "1"},
                    Row{"max_connections", "9999999", 15, adjusted, "262143"},
                    Row{"max_connections", "many", 15, invalid, ""},
                    Row{"shared_buffers", "128MB", 15, good, "128MB"},
                    Row{"shared_buffers", "8kB", 15, adjusted, "16"},
                    Row{"autovacuum", "True", 15, good, "True"},
                    Row{"autovacuum", "perhaps", 15, invalid, ""},
                    Row{"wal_level", "hot_standby", 15, good, "hot_standby"},
                    Row{"wal_level", "logical", 15, good, "logical"},
                    Row{"wal_level", "most", 15, invalid, ""},
                    Row{"synchronous_commit", "yes", 15, good, "yes"},
                    Row{"log_min_messages", "DEBUG", 15, good, "DEBUG"},
                    Row{"wal_keep_segments", "8", 12, good, "8"},
                    Row{"wal_keep_segments", "8", 13, not_known, "8"},
                    Row{"promote_trigger_file", "x", 15, good, "x"},
                    Row{"promote_trigger_file", "x", 16, not_known, "x"},
                    Row{"io_method", "worker", 18, good, "worker"},
                    Row{"io_method", "worker", 17, not_known, "worker"},
                    Row{"log_connections", "authentication", 18, good, "authentication"},
                    Row{"log_connections", "authentication", 17, invalid, ""},
                    Row{"maintenance_work_mem", "64kB", 17, good, "64kB"},
                    Row{"maintenance_work_mem", "64kB", 16, adjusted, "1024"},
                    Row{"pg_stat_statements.max", "many", 15, good, "many"},
                    Row{"no_such_setting", "1", 15, not_known, "1"},
                    Row{"max_connections", "100", 19, good, "100"},
                    Row{"a.b\nc", "1", 15, invalid, ""}, Row{"a.b = 'x'", "1", 15, invalid, ""},
                    Row{"a..b", "1", 15, invalid, ""}, Row{"", "1", 15, invalid, ""}));

TEST(ParameterCheckTexts, AreTheContracts) {
  EXPECT_EQ(check_parameter("max_connections", "0", 15).warning,
            "Value=0 of parameter=max_connections is too low, increasing to 1");
  EXPECT_EQ(check_parameter("shared_buffers", "1kB", 15).warning,
            "Value=1kB of parameter=shared_buffers is too low, increasing to 168kB");
  EXPECT_EQ(check_parameter("vacuum_cost_limit", "99999", 15).warning,
            "Value=99999 of parameter=vacuum_cost_limit is too big, decreasing to 10000");
  EXPECT_EQ(check_parameter("fsync", "x", 15).warning,
            "Removing bool parameter=fsync from the config due to the invalid value=x");
  EXPECT_EQ(unexpected_parameter("a", "b"),
            "Removing unexpected parameter=a value=b from the config");
}

TEST(ParameterCatalogue, IsSortedAndItsSpansDoNotOverlap) {
  const auto rows = parameter_rows();
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& before = rows[i - 1];
    const auto& row = rows[i];
    EXPECT_EQ(lower_case(row.name), row.name);
    EXPECT_LE(row.first_major, row.last_major) << row.name;
    EXPECT_TRUE(before.name < row.name ||
                (before.name == row.name && before.last_major < row.first_major))
        << row.name;
  }
}

TEST(CheckParameter, EnumerationsCountWithoutRegardToCase) {
  EXPECT_EQ(check_parameter("ssl_min_protocol_version", "TLSv1.2", 15).verdict, Verdict::good);
  EXPECT_EQ(check_parameter("ssl_min_protocol_version", "tlsv1.3", 15).verdict, Verdict::good);
  EXPECT_EQ(check_parameter("ssl_min_protocol_version", "TLSv9", 15).verdict, Verdict::invalid);
}

}  // namespace
}  // namespace tanist::postgres
