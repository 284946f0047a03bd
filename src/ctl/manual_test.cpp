// SPDX-License-Identifier: Apache-2.0
// The committed reference is what the command table prints, and no page leaves anything out.
#include "ctl/manual.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "config/schema.h"
#include "ctl/command_table.h"
#include "os/file.h"

namespace tanist::ctl {
namespace {

const std::string page_path = std::string(TANIST_SOURCE_DIR) + "/docs/reference/tanistctl.md";

// As man(7) writes it.
std::string with_dashes(std::string text) {
  for (auto at = text.find('-'); at != std::string::npos; at = text.find('-', at + 2)) {
    text.insert(at, 1, '\\');
  }
  return text;
}

TEST(ToolReference, IsTheCommittedOne) {
  const auto page = tool_reference();
  if (std::getenv("TANIST_REWRITE") != nullptr) {
    ASSERT_TRUE(os::replace_file(page_path, page, 0644));
  }
  const auto committed = os::read_file(page_path);
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_TRUE(*committed == page)
      << page_path << " is out of date. Print it anew:\n"
      << "  TANIST_REWRITE=1 build/dev/src/ctl_test --gtest_filter='ToolReference.*'";
}

TEST(ToolManual, NamesEveryCommandAndOption) {
  const auto page = tool_manual();
  for (const auto& command : command_table()) {
    EXPECT_NE(page.find(".SS " + with_dashes(command.name) + "\n"), std::string::npos)
        << command.name;
    for (const auto& option : command.options) {
      for (const auto& name : option.names) {
        EXPECT_NE(page.find("\\fB" + with_dashes(name) + "\\fR"), std::string::npos) << name;
      }
    }
  }
}

TEST(ConfigurationManual, NamesEveryOption) {
  const auto page = configuration_manual();
  for (const auto& option : config::options()) {
    EXPECT_NE(page.find("\\fB" + with_dashes(option.path) + "\\fR"), std::string::npos)
        << option.path;
  }
}

TEST(ToolManual, NoLineOfTextBeginsAsARequest) {
  const auto page = configuration_manual();
  for (std::size_t at = page.find("\n'"); at != std::string::npos; at = page.find("\n'", at + 1)) {
    ADD_FAILURE() << page.substr(at, 60);
  }
}

}  // namespace
}  // namespace tanist::ctl
