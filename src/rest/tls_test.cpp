// SPDX-License-Identifier: Apache-2.0
// Making TLS contexts: what is read, what is refused and how that is said.
#include "rest/tls.h"

#include <gtest/gtest.h>

#include <set>

#include "os/clock.h"
#include "os/file.h"
#include "rest/test_certificates.h"

namespace tanist::rest {
namespace {

class Tls : public testing::Test {
 protected:
  RestSettings settings(const CertificateFiles& files) const {
    RestSettings settings;
    settings.cert_file = files.certificate;
    settings.key_file = files.key;
    return settings;
  }

  void expect_refused(const RestSettings& settings, const std::string& named) const {
    const auto made = make_server_tls(settings);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find(named), std::string::npos) << made.error().message;
    EXPECT_EQ(made.error().message.find("phrase-s3cret"), std::string::npos);
  }

  const CertificateAuthority authority_{"test CA"};
};

TEST_F(Tls, TakesCertificateAndKey) {
  const auto files = authority_.issue({.name = "server"});
  const auto made = make_server_tls(settings(files));
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(expiry_of(*made));
  EXPECT_GT(*expiry_of(*made), os::wall_now());
  EXPECT_LT(*expiry_of(*made), os::wall_now() + std::chrono::hours(24 * 3650));
  EXPECT_FALSE(expiry_of(nullptr));
}

TEST_F(Tls, KeyMayStandInTheCertificatesFile) {
  const auto files = authority_.issue({.name = "server"});
  const auto both = authority_.file("both.pem");
  ASSERT_TRUE(
      os::replace_file(both, *os::read_file(files.certificate) + *os::read_file(files.key), 0600));
  EXPECT_TRUE(make_server_tls(settings({both, ""})));
}

TEST_F(Tls, EncryptedKeyNeedsItsPhrase) {
  const auto files = authority_.issue({.name = "server", .phrase = "phrase-s3cret"});
  auto with = settings(files);
  with.key_password = Secret("phrase-s3cret");
  EXPECT_TRUE(make_server_tls(with));
  with.key_password = Secret("wrong");
  expect_refused(with, files.key);
  with.key_password = Secret();
  expect_refused(with, files.key);
}

TEST_F(Tls, EachUnusableFileIsNamed) {
  const auto files = authority_.issue({.name = "server"});
  const auto other = authority_.issue({.name = "other"});
  const auto garbage = authority_.file("garbage");
  ASSERT_TRUE(os::replace_file(garbage, "not PEM\n", 0600));
  expect_refused(settings({"/nowhere/x.crt", files.key}), "/nowhere/x.crt: No such file");
  expect_refused(settings({garbage, files.key}), garbage);
  expect_refused(settings({files.certificate, "/nowhere/x.key"}), "/nowhere/x.key: No such file");
  expect_refused(settings({files.certificate, garbage}), garbage);
  expect_refused(settings({files.certificate, other.key}), other.key);
  auto with_ca = settings(files);
  with_ca.ca_file = garbage;
  expect_refused(with_ca, garbage);
  auto with_ciphers = settings(files);
  with_ciphers.ciphers = "NO-SUCH-CIPHER";
  expect_refused(with_ciphers, "NO-SUCH-CIPHER");
}

TEST_F(Tls, CiphersAreTakenAsGiven) {
  auto with = settings(authority_.issue({.name = "server"}));
  with.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  EXPECT_TRUE(make_server_tls(with));
}

TEST_F(Tls, FingerprintChangesWithEachOfTheFiles) {
  auto with = settings(authority_.issue({.name = "server"}));
  with.ca_file = authority_.ca_file();
  std::set<std::string> prints{*fingerprint_of(with)};
  EXPECT_TRUE(prints.contains(*fingerprint_of(with)));
  const auto other = authority_.issue({.name = "other"});
  for (auto* path : {&with.cert_file, &with.key_file, &with.ca_file}) {
    *path = path == &with.key_file ? other.key : other.certificate;
    EXPECT_TRUE(prints.insert(*fingerprint_of(with)).second) << *path;
  }
  with.key_file = "/nowhere/x.key";
  EXPECT_EQ(fingerprint_of(with).error().code, Errc::not_found);
}

struct TrustRow {
  Trust trust;
  bool insecure;
  bool certificate;
  bool verifies_name;
};

TEST_F(Tls, HostNamesMatterToTheOperatorsToolOnly) {
  const auto files = authority_.issue({.name = "client"});
  for (const auto& row :
       {TrustRow{Trust::agent, false, false, false}, TrustRow{Trust::agent, false, true, false},
        TrustRow{Trust::ctl, false, false, true}, TrustRow{Trust::ctl, false, true, true},
        TrustRow{Trust::ctl, true, false, false}, TrustRow{Trust::ctl, true, true, false}}) {
    PeerClientSettings settings;
    settings.insecure = row.insecure;
    settings.ca_file = authority_.ca_file();
    if (row.certificate) {
      settings.cert_file = files.certificate;
      settings.key_file = files.key;
    }
    const auto made = make_peer_tls(settings, row.trust);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->verify_host_name, row.verifies_name);
  }
}

TEST_F(Tls, PeerFilesThatCannotBeUsedAreNamed) {
  PeerClientSettings settings;
  settings.cert_file = "/nowhere/client.crt";
  const auto made = make_peer_tls(settings, Trust::agent);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("/nowhere/client.crt"), std::string::npos);
}

}  // namespace
}  // namespace tanist::rest
