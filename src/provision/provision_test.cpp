// SPDX-License-Identifier: Apache-2.0
// Writing into a real folder: modes, second runs, files of others, rotation.
#include "provision/provision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/format.h"
#include "os/file.h"
#include "provision/secret_marks.h"

namespace tanist::provision {
namespace {

using std::chrono::days;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr WallTime noon{std::chrono::seconds{1'790'000'000}};

class Writing : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "provision-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    base_ = name;
    folder_ = base_ + "/out";
  }
  void TearDown() override { std::filesystem::remove_all(base_); }

  static Topology topology() {
    return *read_topology(TANIST_SOURCE_DIR "/examples/topology-three-nodes.yml");
  }

  Result<Report> run(const WriteOptions& options = {.now = noon}) {
    return write(topology_, folder_, options);
  }
  Report must_run(const WriteOptions& options = {.now = noon}) {
    auto report = run(options);
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return report.value_or(Report{});
  }

  std::string content(const std::string& path) const {
    return os::read_file(folder_ + "/" + path).value_or("(absent)");
  }
  void put(const std::string& path, const std::string& text) const {
    ASSERT_TRUE(os::replace_file(folder_ + "/" + path, text, 0644).has_value());
  }
  // Path below the folder -> content, of every file.
  std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      const auto path = std::filesystem::relative(entry.path(), folder_).string();
      files[path] = content(path);
    }
    return files;
  }
  mode_t mode(const std::string& path) const {
    struct stat status{};
    stat((folder_ + "/" + path).c_str(), &status);
    return status.st_mode & 07777;
  }

  std::string base_;
  std::string folder_;
  Topology topology_ = topology();
};

TEST_F(Writing, CreatesATreeForEachHost) {
  const auto report = must_run();
  EXPECT_EQ(report.folder, folder_);
  EXPECT_THAT(report.created, AllOf(Contains("pg-1/etc/tanist/tanist.yml"),
                                    Contains("haproxy/etc/haproxy/haproxy.cfg"),
                                    Contains("ca/ca.key"), Contains("README.md")));
  EXPECT_THAT(report.updated, IsEmpty());
  EXPECT_THAT(report.kept, IsEmpty());
  EXPECT_THAT(content("pg-3/etc/tanist/tanist.yml"), HasSubstr("name: 'pg-3'"));
}

TEST_F(Writing, KeepsSecretsFromOthers) {
  must_run();
  EXPECT_EQ(mode(""), 0700u);
  EXPECT_EQ(mode("ca"), 0700u);
  EXPECT_EQ(mode("secrets"), 0700u);
  for (const auto& [path, text] : everything()) {
    const bool is_secret = path.ends_with(".key") || path.starts_with("secrets/") ||
                           path.ends_with("tanist.yml") || path.ends_with("haproxy.cfg");
    if (is_secret) EXPECT_EQ(mode(path), 0600u) << path;
  }
}

TEST_F(Writing, PutsAPasswordWhereverAMarkStood) {
  must_run();
  for (const auto& [path, text] : everything()) EXPECT_THAT(text, Not(HasSubstr("-password@")));
  auto password = content("secrets/replication");
  password.pop_back();
  for (const auto* node : {"pg-1", "pg-2", "pg-3"}) {
    EXPECT_THAT(content(std::string(node) + "/etc/tanist/tanist.yml"),
                HasSubstr("password: '" + password + "'"));
  }
}

TEST_F(Writing, LeavesASecondRunNothingToDo) {
  must_run();
  const auto before = everything();
  const auto report = must_run({.now = noon + days{100}});
  EXPECT_THAT(report.created, IsEmpty());
  EXPECT_THAT(report.updated, IsEmpty());
  EXPECT_THAT(report.issued, IsEmpty());
  EXPECT_EQ(everything(), before);
}

TEST_F(Writing, RewritesOnlyWhatANewTopologyChanges) {
  must_run();
  const auto before = everything();
  topology_.timing.ttl = seconds{40};
  const auto report = must_run();
  EXPECT_THAT(report.created, IsEmpty());
  EXPECT_THAT(report.issued, IsEmpty());
  EXPECT_THAT(report.updated, ElementsAre("pg-1/etc/etcd/etcd.yml", "pg-1/etc/tanist/tanist.yml",
                                          "pg-2/etc/etcd/etcd.yml", "pg-2/etc/tanist/tanist.yml",
                                          "pg-3/etc/etcd/etcd.yml", "pg-3/etc/tanist/tanist.yml"));
}

TEST_F(Writing, IssuesACertificateAnewWhenAnAddressChanged) {
  must_run();
  topology_.hosts.back().address = *Address::parse("192.168.122.77");
  const auto report = must_run();
  EXPECT_THAT(report.issued,
              AllOf(Contains("haproxy/etc/haproxy/tanist/statistics.crt: the host's names or "
                             "addresses changed"),
                    Contains(HasSubstr("pg-1/etc/tanist/ssl/postgresql.crt")),
                    Not(Contains(HasSubstr("etcd")))));
}

TEST_F(Writing, RefusesAsAWholeWhenAFileWasEdited) {
  must_run();
  put("pg-1/etc/tanist/tanist.yml", "edited");
  put("pg-2/hosts.fragment", "edited");
  topology_.timing.ttl = seconds{40};
  const auto before = everything();
  const auto report = run();
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Errc::refused);
  EXPECT_THAT(
      report.error().message,
      AllOf(HasSubstr("nothing was written"), HasSubstr(folder_ + "/pg-1/etc/tanist/tanist.yml"),
            HasSubstr(folder_ + "/pg-2/hosts.fragment"), Not(HasSubstr("pg-3"))));
  EXPECT_EQ(everything(), before);
}

TEST_F(Writing, RefusesToReplaceFilesOfSomebodyElse) {
  ASSERT_TRUE(os::create_folders(folder_ + "/ca", 0755).has_value());
  put("README.md", "mine");
  EXPECT_EQ(run().error().code, Errc::refused);
  EXPECT_THAT(everything(), testing::SizeIs(1));
  EXPECT_EQ(content("README.md"), "mine");
}

TEST_F(Writing, OverwritesOnRequest) {
  must_run();
  put("pg-1/etc/tanist/tanist.yml", "edited");
  const auto report = must_run({.now = noon, .overwrite = true});
  EXPECT_THAT(report.updated, ElementsAre("pg-1/etc/tanist/tanist.yml"));
  EXPECT_THAT(content("pg-1/etc/tanist/tanist.yml"), HasSubstr("scope:"));
}

TEST_F(Writing, CanBeRepeatedAfterAnInterruption) {
  must_run();
  const auto old_manifest = content(".provisioned");
  const auto old_file = content("pg-1/etc/tanist/tanist.yml");
  topology_.timing.ttl = seconds{40};
  must_run();
  // As if the second run had ended before this file: the manifest knows both contents.
  put(".provisioned", old_manifest + content(".provisioned"));
  put("pg-1/etc/tanist/tanist.yml", old_file);
  EXPECT_THAT(must_run().updated, ElementsAre("pg-1/etc/tanist/tanist.yml"));
}

TEST_F(Writing, RestoresTheModeOfAKey) {
  must_run();
  std::filesystem::permissions(folder_ + "/ca/ca.key", std::filesystem::perms{0644});
  must_run();
  EXPECT_EQ(mode("ca/ca.key"), 0600u);
}

TEST_F(Writing, UsesAnAuthorityThatIsBroughtAlong) {
  const auto own = make_authority("corporation", {noon, noon + days{1000}});
  ASSERT_TRUE(os::create_folders(folder_ + "/ca", 0755).has_value());
  put("ca/ca.crt", own->certificate);
  put("ca/ca.key", own->key.reveal());
  const auto report = must_run();
  EXPECT_THAT(report.issued, Not(Contains(HasSubstr("new authority"))));
  EXPECT_TRUE(is_signed_by(content("pg-1/etc/tanist/ssl/rest.crt"), own->certificate));
}

TEST_F(Writing, UsesAPasswordThatIsBroughtAlong) {
  ASSERT_TRUE(os::create_folders(folder_ + "/secrets", 0755).has_value());
  put("secrets/rest", "chosen-by-hand");
  must_run();
  EXPECT_THAT(content("pg-1/etc/tanist/tanist.yml"), HasSubstr("'chosen-by-hand'"));
  EXPECT_EQ(content("secrets/rest"), "chosen-by-hand");
  EXPECT_EQ(mode("secrets/rest"), 0600u);
}

TEST_F(Writing, NamesAPasswordFileThatItCannotUse) {
  ASSERT_TRUE(os::create_folders(folder_ + "/secrets", 0755).has_value());
  put("secrets/rest", "it's unusable");
  EXPECT_THAT(run().error().message,
              AllOf(HasSubstr(folder_ + "/secrets/rest: "), Not(HasSubstr("unusable"))));
}

TEST_F(Writing, NeverShowsAPasswordInItsReport) {
  const auto report = must_run();
  for (const auto& entry : names_of(SecretName{})) {
    auto password = content("secrets/" + std::string(entry.second));
    password.pop_back();
    const auto all = format_text("{} {} {}", fmt::join(report.created, " "),
                                 fmt::join(report.issued, " "), fmt::join(report.advice, " "));
    EXPECT_THAT(all, Not(HasSubstr(password)));
  }
}

TEST_F(Writing, RenewsCertificatesButNotTheAuthority) {
  must_run();
  const auto authority = content("ca/ca.crt");
  const auto leaf = content("pg-1/etc/etcd/ssl/peer.crt");
  const auto report = must_run({.now = noon + days{300}, .renew = Renew::certificates});
  EXPECT_EQ(content("ca/ca.crt"), authority);
  EXPECT_NE(content("pg-1/etc/etcd/ssl/peer.crt"), leaf);
  EXPECT_THAT(report.issued, Each(HasSubstr("renewed on request")));
  EXPECT_EQ(report.first_expiry, noon + days{665});
}

TEST_F(Writing, WarnsBeforeTheFirstCertificateEnds) {
  must_run();
  EXPECT_THAT(must_run({.now = noon + days{300}}).advice, IsEmpty());
  EXPECT_THAT(must_run({.now = noon + days{340}}).advice,
              ElementsAre(HasSubstr("The first certificate ends at 2027-")));
}

TEST_F(Writing, ReplacesTheAuthorityInThreeRuns) {
  must_run();
  const auto old = content("ca/ca.crt");
  const auto leaf = content("pg-1/etc/tanist/ssl/rest.crt");
  must_run({.now = noon, .renew = Renew::authority});
  const auto both = content("pg-1/etc/tanist/ssl/ca.crt");
  EXPECT_EQ(both, content("ca/ca.crt") + old);
  EXPECT_EQ(content("pg-1/etc/tanist/ssl/rest.crt"), leaf);
  EXPECT_EQ(run({.now = noon, .renew = Renew::retire}).error().code, Errc::refused);
  must_run({.now = noon, .renew = Renew::certificates});
  EXPECT_TRUE(is_signed_by(content("pg-1/etc/tanist/ssl/rest.crt"), content("ca/ca.crt")));
  EXPECT_EQ(content("pg-1/etc/tanist/ssl/ca.crt"), both);
  must_run({.now = noon, .renew = Renew::retire});
  EXPECT_EQ(content("haproxy/etc/haproxy/tanist/ca.crt"), content("ca/ca.crt"));
}

TEST_F(Writing, LeavesFilesOfAHostThatLeftAndSaysSo) {
  must_run();
  std::erase_if(topology_.hosts, [](const Host& host) { return host.name == "haproxy"; });
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(must_run().left_over, Contains("haproxy/etc/haproxy/haproxy.cfg"));
    EXPECT_THAT(content("haproxy/etc/haproxy/haproxy.cfg"), HasSubstr("frontend"));
  }
  topology_ = topology();
  EXPECT_THAT(must_run().left_over, IsEmpty());
}

TEST_F(Writing, RefusesAFolderThatIsNone) {
  EXPECT_EQ(write(topology_, "/", {.now = noon}).error().code, Errc::refused);
  EXPECT_EQ(write(topology_, "", {.now = noon}).error().code, Errc::invalid);
  ASSERT_TRUE(os::create_folders(base_, 0755).has_value());
  ASSERT_TRUE(os::replace_file(folder_, "a file", 0644).has_value());
  EXPECT_FALSE(run().has_value());
}

TEST(ReadTopology, NamesAFileThatIsNotThere) {
  EXPECT_THAT(read_topology("/nowhere/t.yml").error().message, HasSubstr("/nowhere/t.yml"));
}

}  // namespace
}  // namespace tanist::provision
