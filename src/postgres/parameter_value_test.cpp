// SPDX-License-Identifier: Apache-2.0
// Booleans, numbers and units, as the server takes them.
#include "postgres/parameter_value.h"

#include <gtest/gtest.h>

namespace tanist::postgres {
namespace {

using T = ParameterType;

TEST(ParameterBoolean, TakesUnambiguousBeginnings) {
  for (const auto* text : {"on", "TRUE", "True", "t", "yes", "Y", "1", " on "}) {
    EXPECT_EQ(parse_boolean(text), true) << text;
  }
  for (const auto* text : {"off", "of", "False", "f", "no", "n", "0"}) {
    EXPECT_EQ(parse_boolean(text), false) << text;
  }
  for (const auto* text : {"", "o", "2", "maybe", "onn", "truee"}) {
    EXPECT_EQ(parse_boolean(text), std::nullopt) << text;
  }
}

struct NumberRow {
  const char* text;
  const char* unit;
  T type;
  std::optional<double> value;
};

class ParameterNumber : public testing::TestWithParam<NumberRow> {};

TEST_P(ParameterNumber, IsReadWithItsUnit) {
  const auto& row = GetParam();
  EXPECT_EQ(parse_number(row.text, row.unit, row.type), row.value);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ParameterNumber,
    testing::Values(
        NumberRow{"100", "", T::integer, 100}, NumberRow{" 0x10 ", "", T::integer, 16},
        NumberRow{"010", "", T::integer, 8}, NumberRow{"-1", "", T::integer, -1},
        NumberRow{"2.5", "", T::integer, 2}, NumberRow{"3.5", "", T::integer, 4},
        NumberRow{"1e2", "", T::integer, 100}, NumberRow{"128MB", "kB", T::integer, 131072},
        NumberRow{"128 MB", "8kB", T::integer, 16384},
        NumberRow{"4097.5kB", "kB", T::integer, 4098}, NumberRow{"30.1GB", "MB", T::integer, 30822},
        NumberRow{"1min", "s", T::integer, 60}, NumberRow{"1h", "ms", T::integer, 3600000},
        NumberRow{"90s", "min", T::integer, 2}, NumberRow{"0.5", "", T::real, 0.5},
        NumberRow{"2ms", "ms", T::real, 2}, NumberRow{"500us", "ms", T::real, 0.5},
        NumberRow{"1mb", "kB", T::integer, std::nullopt},
        NumberRow{"1MB", "ms", T::integer, std::nullopt},
        NumberRow{"1MB", "", T::integer, std::nullopt},
        NumberRow{"10 apples", "", T::integer, std::nullopt},
        NumberRow{"", "", T::integer, std::nullopt}, NumberRow{"nan", "", T::real, std::nullopt},
        NumberRow{"99999999999999999999999999", "", T::integer, 9223372036854775807.0}));

TEST(ParameterNumberText, UsesTheLargestWholeUnit) {
  EXPECT_EQ(with_unit(16384, "8kB", T::integer), "128MB");
  EXPECT_EQ(with_unit(131073, "kB", T::integer), "131073kB");
  EXPECT_EQ(with_unit(30, "s", T::integer), "30s");
  EXPECT_EQ(with_unit(60, "s", T::integer), "1min");
  EXPECT_EQ(with_unit(-1, "ms", T::integer), "-1");
  EXPECT_EQ(with_unit(0, "kB", T::integer), "0");
  EXPECT_EQ(with_unit(7, "", T::integer), "7");
  EXPECT_EQ(with_unit(0.1, "", T::real), "0.1");
}

// Trap 115.
TEST(ParameterSameness, KnowsNoDifferenceInSpelling) {
  EXPECT_TRUE(same_value("on", "True", T::boolean, ""));
  EXPECT_FALSE(same_value("on", "off", T::boolean, ""));
  EXPECT_TRUE(same_value("128MB", "16384", T::integer, "8kB"));
  EXPECT_FALSE(same_value("128MB", "16385", T::integer, "8kB"));
  EXPECT_TRUE(same_value("0.10", "0.1", T::real, ""));
  EXPECT_TRUE(same_value("REPLICA", "replica", T::enumeration, ""));
  EXPECT_TRUE(same_value("true", "on", T::enumeration, ""));
  EXPECT_FALSE(same_value("local", "on", T::enumeration, ""));
  EXPECT_FALSE(same_value("A", "a", T::text, ""));
  EXPECT_TRUE(same_value("odd", "odd", T::integer, ""));
}

}  // namespace
}  // namespace tanist::postgres
