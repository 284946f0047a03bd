// SPDX-License-Identifier: Apache-2.0
// Lines of the log in both forms.
#include "base/log_format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace tanist {
namespace {

constexpr WallTime noon{std::chrono::microseconds{1'700'000'000'123'456}};

class LogLine : public testing::Test {
 protected:
  LogLine() {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  LogRecord record_of(std::string text) {
    return {LogLevel::warning, std::move(text), noon, 42, "rest", std::source_location::current()};
  }
  std::string line(const LogSettings& settings, std::string text = "hello") {
    warnings.clear();
    const LogFormat format(settings, noon - milliseconds(1500), warnings);
    return format.line(record_of(std::move(text)));
  }
  std::string line_as(Tree format, bool json = false) {
    LogSettings settings;
    settings.format = std::move(format);
    settings.json = json;
    return line(settings);
  }

  std::vector<std::string> warnings;
};

TEST_F(LogLine, DefaultsLookLikePythons) {
  EXPECT_EQ(line({}), "2023-11-14 22:13:20,123 WARNING: hello");
  EXPECT_TRUE(warnings.empty());
}

TEST_F(LogLine, TheDateFormatIsStrftimes) {
  LogSettings settings;
  settings.date_format = "%d.%m.%y %H:%M";
  EXPECT_EQ(line(settings), "14.11.23 22:13 WARNING: hello");
}

TEST_F(LogLine, FieldsHaveTheirPythonMeaning) {
  EXPECT_EQ(line_as("%(levelname)-8s|%(levelno)d|%(name)s|%(thread)d|%(threadName)s"),
            "WARNING |30|tanist|42|rest");
  EXPECT_EQ(line_as("%(msecs)03d|%(created).3f|%(relativeCreated)d|%(processName)s"),
            "123|1700000000.123|1500|MainProcess");
  EXPECT_EQ(line_as("%(filename)s|%(module)s|%(pathname)s|%(funcName)s"),
            "log_format_test.cpp|log_format_test|src/base/log_format_test.cpp|record_of");
  EXPECT_EQ(line_as("%(process)d"), std::to_string(getpid()));
  EXPECT_NE(line_as("%(lineno)d"), "0");
}

TEST_F(LogLine, JsonHoldsTheFieldsOfTheTemplateInItsOrder) {
  EXPECT_EQ(line_as("%(levelname)-8s - %(message)s %(levelno)d", true),
            R"({"levelname": "WARNING", "message": "hello", "levelno": 30})");
}

TEST_F(LogLine, JsonTakesAListThatRenames) {
  EXPECT_EQ(line_as(Tree::list({"message", Tree::map({{"levelname", "level"}})}), true),
            R"({"message": "hello", "level": "WARNING"})");
}

TEST_F(LogLine, StaticFieldsFollow) {
  LogSettings settings;
  settings.json = true;
  settings.format = "%(message)s";
  settings.static_fields = Tree::map({{"app", "db"}, {"n", 1}});
  EXPECT_EQ(line(settings, "\xC3\xA9\n"), R"({"message": "\u00e9\n", "app": "db", "n": 1})");
}

TEST_F(LogLine, UnusableListMembersAreSkippedWithAWarning) {
  EXPECT_EQ(
      line_as(Tree::list({1, "message", Tree::map(), Tree::map({{"name", 1}}), "nonsense"}), true),
      R"({"message": "hello"})");
  EXPECT_EQ(warnings.size(), 4U);
}

TEST_F(LogLine, AnUnusableFormatFallsBackToTheDefault) {
  const std::string usual = "2023-11-14 22:13:20,123 WARNING: hello";
  for (const auto& format : {Tree("%(message)"), Tree("%(nonsense)s"), Tree("%s"), Tree(1), Tree(),
                             Tree(""), Tree::list({"message"})}) {
    EXPECT_EQ(line_as(format), usual);
    EXPECT_FALSE(warnings.empty());
  }
  EXPECT_EQ(
      line_as(Tree::list(), true),
      R"({"asctime": "2023-11-14 22:13:20,123", "levelname": "WARNING", "message": "hello"})");
}

}  // namespace
}  // namespace tanist
