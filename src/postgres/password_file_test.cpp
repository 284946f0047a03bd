// SPDX-License-Identifier: Apache-2.0
// Lines of the password file, and how it comes onto the disk.
#include "postgres/password_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "os/file.h"
#include "sql/test_server.h"

namespace tanist::postgres {
namespace {

std::string text(const PasswordEntry& entry) { return password_file_text(entry).reveal(); }

TEST(PasswordFile, HasALineForEachHost) {
  EXPECT_EQ(text({"a,b", "5432", "rep", Secret("pw")}), "a:5432:*:rep:pw\nb:5432:*:rep:pw\n");
  EXPECT_EQ(text({"a,b", "1,2", "rep", Secret("pw")}), "a:1:*:rep:pw\nb:2:*:rep:pw\n");
  EXPECT_EQ(text({"/run/pg", "5432", "u", Secret("p")}),
            "/run/pg:5432:*:u:p\nlocalhost:5432:*:u:p\n");
  EXPECT_EQ(text({"", "", "u", Secret("p")}), "*:*:*:u:p\n");
}

TEST(PasswordFile, EscapesColonsAndBackslashes) {
  EXPECT_EQ(text({"::1", "1", "a:b", Secret("c\\d:e'f g")}), "\\:\\:1:1:*:a\\:b:c\\\\d\\:e'f g\n");
}

TEST(PasswordFile, IsComparedByItsLines) {
  const PasswordEntry entry{"a,b", "1", "u", Secret("p")};
  EXPECT_TRUE(same_password_lines("b:1:*:u:p\na:1:*:u:p\n", entry));
  EXPECT_FALSE(same_password_lines("a:1:*:u:p\n", entry));
  EXPECT_FALSE(same_password_lines("a:1:*:u:p\nb:1:*:u:p\nc:1:*:u:p\n", entry));
  EXPECT_FALSE(same_password_lines("a:1:*:u:other\nb:1:*:u:p\n", entry));
  EXPECT_FALSE(same_password_lines("", entry));
}

// Trap 134.
TEST(PasswordFile, IsForItsOwnerOnlyAndReplacesAnOpenOne) {
  const sql::TemporaryFolder folder;
  const auto path = folder / "deep/pgpass";
  ASSERT_TRUE(os::create_folders(folder / "deep", 0700));
  std::ofstream(path) << "old";
  chmod(path.c_str(), 0666);
  ASSERT_TRUE(write_password_file(path, {"h", "1", "u", Secret("p")}));
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(*os::read_file(path), "h:1:*:u:p\n");
}

TEST(PasswordFile, IsRefusedWhereAFolderIsAndForLineBreaks) {
  const sql::TemporaryFolder folder;
  EXPECT_EQ(write_password_file(folder.path(), {"h", "1", "u", Secret("p")}).error().code,
            Errc::refused);
  const auto broken = write_password_file(folder / "p", {"h", "1", "u", Secret("se\ncret")});
  EXPECT_EQ(broken.error().code, Errc::invalid);
  EXPECT_EQ(broken.error().message.find("cret"), std::string::npos);
}

}  // namespace
}  // namespace tanist::postgres
