// SPDX-License-Identifier: Apache-2.0
// The committed reference is what the table of options prints.
#include "config/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "config/schema.h"
#include "os/file.h"

namespace tanist::config {
namespace {

const std::string page_path = std::string(TANIST_SOURCE_DIR) + "/docs/reference/config.md";

TEST(ReferencePage, IsTheCommittedOne) {
  const auto page = reference_page();
  if (std::getenv("TANIST_REWRITE") != nullptr) {
    ASSERT_TRUE(os::create_folders(std::string(TANIST_SOURCE_DIR) + "/docs/reference", 0755));
    ASSERT_TRUE(os::replace_file(page_path, page, 0644));
  }
  const auto committed = os::read_file(page_path);
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_TRUE(*committed == page)
      << page_path << " is out of date. Print it anew:\n"
      << "  TANIST_REWRITE=1 build/dev/src/config_test --gtest_filter='ReferencePage.*'";
}

TEST(ReferencePage, NamesEveryOption) {
  const auto page = reference_page();
  for (const auto& option : options()) {
    EXPECT_NE(page.find("`" + option.path + "`"), std::string::npos) << option.path;
  }
}

}  // namespace
}  // namespace tanist::config
