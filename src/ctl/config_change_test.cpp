// SPDX-License-Identifier: Apache-2.0
// Tests of settings laid into the configuration.
#include "ctl/config_change.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tanist::ctl {
namespace {

std::string changed(std::string_view config, std::string_view setting) {
  auto tree = parse_json(config).value();
  const auto done = apply_setting(tree, setting);
  return done ? to_json(tree) : done.error().message;
}

TEST(ConfigChange, MissingLevelsAreCreated) {
  EXPECT_EQ(changed("{}", "a.b.c=1"), R"({"a":{"b":{"c":1}}})");
}

TEST(ConfigChange, NullDeletesTheKeyAndParentsLeftEmpty) {
  EXPECT_EQ(changed(R"({"ttl":30,"a":{"b":{"c":1}}})", "a.b.c=null"), R"({"ttl":30})");
}

TEST(ConfigChange, AnEmptyValueDeletesToo) {
  EXPECT_EQ(changed(R"({"a":{"b":1,"c":2}})", "a.b="), R"({"a":{"c":2}})");
}

TEST(ConfigChange, NamesOfParametersMayHoldDots) {
  EXPECT_EQ(changed("{}", "postgresql.parameters.auto_explain.log_timing=off"),
            R"({"postgresql":{"parameters":{"auto_explain.log_timing":false}}})");
}

TEST(ConfigChange, ASettingWithoutEqualsSignIsRefused) {
  EXPECT_EQ(changed("{}", "ttl"), "Invalid parameter setting ttl");
}

TEST(ConfigChange, AScalarOnTheWayGivesPlaceToAMap) {
  EXPECT_EQ(changed(R"({"a":1})", "a.b=2"), R"({"a":{"b":2}})");
}

}  // namespace
}  // namespace tanist::ctl
