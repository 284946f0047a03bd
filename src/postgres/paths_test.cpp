// SPDX-License-Identifier: Apache-2.0
// File names by settings; also the start of the test program as the user postgres.
#include "postgres/paths.h"

#include <gmock/gmock.h>

#include "sql/test_server.h"

namespace tanist::postgres {
namespace {

TEST(PathsOf, FollowTheSettings) {
  ServerSettings settings;
  settings.data_dir = "/var/lib/pg/";
  const Paths usual(settings);
  EXPECT_EQ(usual.data, "/var/lib/pg");
  EXPECT_EQ(usual.main, "/var/lib/pg/postgresql.conf");
  EXPECT_EQ(usual.included, "postgresql.base.conf");
  EXPECT_EQ(usual.backed_up.size(), 4U);
  EXPECT_EQ(usual.backup_of(usual.hba), "/var/lib/pg/pg_hba.conf.backup");
  settings.config_dir = "/etc/pg/";
  settings.config_base_name = "main";
  settings.custom_conf = "/etc/custom.conf";
  settings.parameters = {{"hba_file", "/x"}, {"ident_file", "/y"}};
  const Paths other(settings);
  EXPECT_EQ(other.main, "/etc/pg/main.conf");
  EXPECT_EQ(other.base, "/etc/pg/main.base.conf");
  EXPECT_EQ(other.included, "/etc/custom.conf");
  EXPECT_THAT(other.backed_up, testing::ElementsAre("/etc/pg/main.conf"));
}

TEST(PathsOf, NamesAreTakenApart) {
  EXPECT_EQ(without_trailing_slash("/a//"), "/a");
  EXPECT_EQ(without_trailing_slash("/"), "/");
  EXPECT_EQ(file_name_of("/a/b"), "b");
  EXPECT_EQ(folder_of("/a/b"), "/a");
  EXPECT_EQ(folder_of("b"), ".");
  EXPECT_EQ(absolute_path("b", "/a"), "/a/b");
  EXPECT_EQ(absolute_path("/b", "/a"), "/b");
}

}  // namespace
}  // namespace tanist::postgres

int main(int count, char** arguments) {
  tanist::sql::become_postgres(arguments);
  testing::InitGoogleMock(&count, arguments);
  return RUN_ALL_TESTS();
}
