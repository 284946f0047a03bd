// SPDX-License-Identifier: Apache-2.0
// Certificates as OpenSSL reads them back, and when they are kept or made anew.
#include "provision/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "provision/authority.h"

namespace tanist::provision {
namespace {

using std::chrono::days;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallTime noon{std::chrono::seconds{1'790'000'000}};

KeyPair authority() {
  auto made = make_authority("c", {noon, noon + days{3650}});
  EXPECT_TRUE(made.has_value());
  return *made;
}

CertificateRequest request_for(KeyUse use) {
  return {"pg-1",
          {"pg-1", "localhost", "pg-1"},
          {*Address::parse("10.0.0.1"), *Address::parse("fd00::1")},
          use};
}

KeyPair issued(const KeyPair& signer, KeyUse use = KeyUse::server) {
  auto pair = issue(signer, request_for(use), {noon, noon + days{365}});
  EXPECT_TRUE(pair.has_value());
  return *pair;
}

std::shared_ptr<X509> parsed(const std::string& pem) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

// What OpenSSL itself says of the chain at a moment, for a purpose.
int verification(const std::string& certificate, const std::string& trusted, int purpose,
                 WallTime when) {
  const auto leaf = parsed(certificate);
  const auto anchor = parsed(trusted);
  std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  X509_STORE_add_cert(store.get(), anchor.get());
  std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(),
                                                                          X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_STORE_CTX_set_time(context.get(), 0, std::chrono::system_clock::to_time_t(when));
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

TEST(Certificate, HoldsTheNamesAndAddressesItWasAskedFor) {
  const auto facts = inspect(issued(authority()).certificate);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->common_name, "pg-1");
  EXPECT_THAT(facts->alternative_names,
              ElementsAre("DNS:localhost", "DNS:pg-1", "IP:10.0.0.1", "IP:fd00::1"));
  EXPECT_FALSE(facts->is_authority);
}

TEST(Certificate, MatchesItsHostByNameAndByAddress) {
  const auto leaf = parsed(issued(authority()).certificate);
  EXPECT_EQ(X509_check_host(leaf.get(), "pg-1", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(leaf.get(), "pg-2", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "10.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "fd00::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "10.0.0.2", 0), 0);
}

TEST(Certificate, IsGoodForItsUseOnly) {
  const auto signer = authority();
  const auto check = [&](KeyUse use, int purpose) {
    return verification(issued(signer, use).certificate, signer.certificate, purpose, noon);
  };
  EXPECT_EQ(check(KeyUse::server, X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(check(KeyUse::server, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(check(KeyUse::client, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  EXPECT_EQ(check(KeyUse::client, X509_PURPOSE_SSL_SERVER), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(check(KeyUse::server_and_client, X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(check(KeyUse::server_and_client, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
}

TEST(Certificate, IsValidFromItsFirstSecondToItsLast) {
  const auto signer = authority();
  const auto leaf = issued(signer).certificate;
  const auto at = [&](WallTime when) {
    return verification(leaf, signer.certificate, X509_PURPOSE_SSL_SERVER, when);
  };
  EXPECT_EQ(at(noon - std::chrono::seconds{1}), X509_V_ERR_CERT_NOT_YET_VALID);
  EXPECT_EQ(at(noon), X509_V_OK);
  EXPECT_EQ(at(noon + days{365} - std::chrono::seconds{1}), X509_V_OK);
  EXPECT_EQ(at(noon + days{365}), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(Certificate, NeverOutlivesItsAuthority) {
  const auto signer = *make_authority("c", {noon, noon + days{10}});
  const auto facts = inspect(issued(signer).certificate);
  EXPECT_EQ(facts->validity.until, noon + days{10});
}

TEST(Certificate, HasAKeyOnTheCurveP256) {
  const auto leaf = parsed(issued(authority()).certificate);
  char group[64] = "";
  EVP_PKEY_get_group_name(X509_get0_pubkey(leaf.get()), group, sizeof group, nullptr);
  EXPECT_STREQ(group, "prime256v1");
  EXPECT_EQ(X509_get_signature_nid(leaf.get()), NID_ecdsa_with_SHA256);
}

TEST(Certificate, HasANumberOfItsOwn) {
  const auto signer = authority();
  const auto a = parsed(issued(signer).certificate);
  const auto b = parsed(issued(signer).certificate);
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(a.get()), X509_get0_serialNumber(b.get())), 0);
}

TEST(Certificate, CannotSignAnother) {
  const auto signer = authority();
  const auto leaf = issued(signer);
  const auto grandchild = issued(leaf);
  EXPECT_NE(verification(grandchild.certificate, leaf.certificate, X509_PURPOSE_SSL_SERVER, noon),
            X509_V_OK);
}

TEST(Certificate, BelongsToItsKeyAndItsAuthority) {
  const auto signer = authority();
  const auto other = authority();
  const auto leaf = issued(signer);
  EXPECT_TRUE(is_key_of(leaf.key, leaf.certificate));
  EXPECT_FALSE(is_key_of(signer.key, leaf.certificate));
  EXPECT_TRUE(is_signed_by(leaf.certificate, signer.certificate));
  EXPECT_FALSE(is_signed_by(leaf.certificate, other.certificate));
}

TEST(Certificate, IsNothingThatOthersWroteOtherwise) {
  for (const std::string pem :
       {"", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n"}) {
    EXPECT_FALSE(inspect(pem).has_value());
    EXPECT_FALSE(is_key_of(Secret(pem), pem));
    EXPECT_FALSE(is_signed_by(pem, pem));
    EXPECT_THAT(split_bundle(pem), IsEmpty());
    EXPECT_FALSE(issue({pem, Secret(pem)}, request_for(KeyUse::server), {noon, noon}).has_value());
  }
}

TEST(Authority, MaySignLeavesOnly) {
  const auto made = parsed(authority().certificate);
  EXPECT_EQ(X509_check_ca(made.get()), 1);
  EXPECT_EQ(X509_get_pathlen(made.get()), 0);
}

TEST(Authority, IsNamedSoThatGenerationsAreToldApart) {
  EXPECT_NE(inspect(authority().certificate)->common_name,
            inspect(authority().certificate)->common_name);
  EXPECT_THAT(inspect(authority().certificate)->common_name, HasSubstr("c authority "));
}

// ---- What is kept ---------------------------------------------------------------------------

AuthorityFiles files_of(const KeyPair& pair) {
  return {pair.certificate, pair.key.reveal(), std::nullopt};
}

IssuePolicy policy(Renew renew = Renew::nothing, WallTime now = noon) { return {now, renew}; }

std::string reason(const Authority& from, const std::optional<KeyPair>& existing,
                   const IssuePolicy& by, KeyUse use = KeyUse::server) {
  const auto result = keep_or_issue(from, request_for(use), existing, by);
  return result ? result->reason : "error: " + result.error().message;
}

TEST(KeptAuthority, IsTheOneThatIsThere) {
  const auto pair = authority();
  const auto kept = keep_or_make_authority(files_of(pair), "c", policy());
  ASSERT_TRUE(kept.has_value());
  EXPECT_FALSE(kept->is_new);
  EXPECT_EQ(kept->current.certificate, pair.certificate);
  EXPECT_EQ(kept->trust_bundle(), pair.certificate);
}

TEST(KeptAuthority, IsMadeWhenThereIsNone) {
  const auto made = keep_or_make_authority({}, "c", policy());
  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE(made->is_new);
  EXPECT_EQ(inspect(made->current.certificate)->validity.until, noon + days{3650});
}

TEST(KeptAuthority, IsRefusedWhenItIsNone) {
  const auto pair = authority();
  const auto said = [&](const AuthorityFiles& files, WallTime now) {
    const auto result = keep_or_make_authority(files, "c", policy(Renew::nothing, now));
    return result ? "" : result.error().message;
  };
  EXPECT_THAT(said({"junk", "junk", {}}, noon), HasSubstr("no certificate of an authority"));
  EXPECT_THAT(said(files_of(issued(pair)), noon), HasSubstr("no certificate of an authority"));
  EXPECT_THAT(said({pair.certificate, authority().key.reveal(), {}}, noon),
              HasSubstr("not the (unencrypted) key"));
  EXPECT_THAT(said({std::nullopt, "key", {}}, noon), HasSubstr("ca/ca.crt is not"));
  EXPECT_THAT(said(files_of(pair), noon + days{3651}), HasSubstr("expired at"));
}

TEST(KeptCertificate, StaysWhileItIsWhatIsWanted) {
  const auto pair = authority();
  const Authority signer{pair, {}, false};
  const auto leaf = issued(pair);
  EXPECT_EQ(reason(signer, leaf, policy()), "");
  EXPECT_EQ(keep_or_issue(signer, request_for(KeyUse::server), leaf, policy())->pair.certificate,
            leaf.certificate);
}

TEST(KeptCertificate, IsMadeAnewForAReasonThatIsTold) {
  const auto pair = authority();
  const Authority signer{pair, {}, false};
  const auto leaf = issued(pair);
  EXPECT_EQ(reason(signer, std::nullopt, policy()), "first issue");
  EXPECT_EQ(reason(signer, leaf, policy(Renew::nothing, noon + days{365})), "expired");
  EXPECT_EQ(reason(signer, leaf, policy(Renew::certificates)), "renewed on request");
  EXPECT_EQ(reason(signer, leaf, policy(), KeyUse::client), "its usage changed");
  EXPECT_EQ(reason(signer, KeyPair{leaf.certificate, pair.key}, policy()),
            "its key was another one's");
  EXPECT_EQ(reason({authority(), {}, false}, leaf, policy()), "signed by another authority");
  auto moved = request_for(KeyUse::server);
  moved.addresses.pop_back();
  EXPECT_EQ(keep_or_issue(signer, moved, leaf, policy())->reason,
            "the host's names or addresses changed");
}

TEST(KeptCertificate, NeedsNoAuthoritysKeyWhileItStays) {
  const auto pair = authority();
  const auto off_line = keep_or_make_authority({pair.certificate, {}, {}}, "c", policy());
  ASSERT_TRUE(off_line.has_value());
  EXPECT_EQ(reason(*off_line, issued(pair), policy()), "");
  EXPECT_THAT(reason(*off_line, std::nullopt, policy()), HasSubstr("ca/ca.key is not there"));
}

TEST(Rotation, TakesThreeStepsThatNeverCutOneHostOff) {
  const auto old = authority();
  const auto leaf = issued(old);
  // 1. A new authority beside the old one; nothing is signed anew yet.
  const auto first = keep_or_make_authority(files_of(old), "c", policy(Renew::authority));
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->is_new);
  EXPECT_EQ(first->trust_bundle(), first->current.certificate + old.certificate);
  EXPECT_EQ(reason(*first, leaf, policy(Renew::authority)), "");
  // 2. It signs everything.
  AuthorityFiles files = files_of(first->current);
  files.previous = old.certificate;
  const auto second = keep_or_make_authority(files, "c", policy(Renew::certificates));
  EXPECT_EQ(second->trust_bundle(), first->trust_bundle());
  const auto renewed =
      keep_or_issue(*second, request_for(KeyUse::server), leaf, policy(Renew::certificates));
  EXPECT_TRUE(is_signed_by(renewed->pair.certificate, first->current.certificate));
  // 3. The old one goes.
  const auto third = keep_or_make_authority(files, "c", policy(Renew::retire));
  EXPECT_EQ(third->trust_bundle(), first->current.certificate);
  EXPECT_EQ(reason(*third, renewed->pair, policy(Renew::retire)), "");
}

TEST(Rotation, DoesNotRetireAnAuthorityThatIsStillNeeded) {
  const auto old = authority();
  AuthorityFiles files = files_of(authority());
  files.previous = old.certificate;
  const auto retired = keep_or_make_authority(files, "c", policy(Renew::retire));
  EXPECT_THAT(reason(*retired, issued(old), policy(Renew::retire)),
              HasSubstr("the old authority is still needed"));
}

TEST(Rotation, ForgetsAnOldAuthorityThatExpired) {
  const auto old = *make_authority("c", {noon, noon + days{1}});
  AuthorityFiles files = files_of(authority());
  files.previous = old.certificate + "junk";
  const auto kept = keep_or_make_authority(files, "c", policy(Renew::nothing, noon + days{2}));
  EXPECT_THAT(kept->previous, IsEmpty());
}

}  // namespace
}  // namespace tanist::provision
