// SPDX-License-Identifier: Apache-2.0
// Which replica methods are tried, and their command lines.
#include "postgres/replica_method.h"

#include <gmock/gmock.h>

#include "postgres/single_user.h"

namespace tanist::postgres {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

ServerSettings settings() {
  ServerSettings result;
  result.scope = "demo";
  result.data_dir = "/data";
  result.create_replica_methods = {"mine", "basebackup"};
  result.replica_methods["mine"] = Tree::map({{"command", Tree("/bin/mine 'a b'")},
                                              {"no_leader", Tree(true)},
                                              {"keep_data", Tree(true)},
                                              {"threads", Tree(4)}});
  return result;
}

TEST(ReplicaMethods, AreTheConfiguredOnesInOrder) {
  const CloneData wanted{.source = Upstream{}};
  EXPECT_THAT(replica_methods(settings(), wanted),
              ElementsAre(ReplicaMethod{"mine", false, true}, ReplicaMethod{"basebackup", true}));
}

TEST(ReplicaMethods, WithoutASourceAreThoseThatNeedNone) {
  EXPECT_THAT(replica_methods(settings(), {}), ElementsAre(ReplicaMethod{"mine", false, true}));
  auto own = settings();
  own.create_replica_methods = {"basebackup"};
  EXPECT_THAT(replica_methods(own, {}), IsEmpty());
}

TEST(ReplicaMethods, AreOnlyTheBuiltInOneOnRequest) {
  const CloneData wanted{.source = Upstream{}, .only_basebackup = true};
  EXPECT_THAT(replica_methods(settings(), wanted), ElementsAre(ReplicaMethod{"basebackup", true}));
}

TEST(ReplicaMethods, OfAStandbyClusterReplaceTheConfiguredOnes) {
  const CloneData wanted{.source = Upstream{}, .methods = {"other"}};
  EXPECT_THAT(replica_methods(settings(), wanted), ElementsAre(ReplicaMethod{"other"}));
}

TEST(ReplicaMethods, GetOurParametersAndTheirOwn) {
  EXPECT_THAT(
      *replica_method_command(settings(), "mine", "host=a"),
      ElementsAre("/bin/mine", "a b", "--scope=demo", "--role=replica", "--datadir=/data",
                  "--connstring=host=a", "--no_leader=True", "--keep_data=True", "--threads=4"));
}

TEST(ReplicaMethods, WithoutParametersGetOnlyTheUsersOwn) {
  auto own = settings();
  own.replica_methods["mine"].as_map()->emplace_back("no_params", Tree(true));
  EXPECT_THAT(*replica_method_command(own, "mine", "host=a"),
              ElementsAre("/bin/mine", "a b", "--threads=4"));
}

TEST(SingleUser, TakesTheParametersOfTheLastStartButArchivesNothing) {
  const Paths paths(settings());
  const auto arguments = single_user_arguments(
      "/usr/bin/postgres \"-D\" \"/data\" \"--config-file=/x.conf\" \"--max_connections=7\"\n",
      paths);
  EXPECT_THAT(arguments, IsSupersetOf({"--single", "max_connections=7", "archive_command=false",
                                       "config_file=/data/postgresql.conf"}));
  EXPECT_THAT(arguments, Not(Contains("config-file=/x.conf")));
  EXPECT_EQ(arguments.back(), "template1");
}

}  // namespace
}  // namespace tanist::postgres
