// SPDX-License-Identifier: Apache-2.0
// Reasons to issue, in rows; everything else is certificate.h.
#include "provision/authority.h"

#include <algorithm>

#include "base/format.h"

namespace tanist::provision {

namespace {

using std::chrono::days;

// Hosts whose clocks lag a little must not find a certificate "not yet valid".
constexpr auto clock_tolerance = std::chrono::hours{1};

Validity validity_of(const IssuePolicy& policy, days length) {
  return {policy.now - clock_tolerance, policy.now + length};
}

Result<Authority> read_authority(const AuthorityFiles& files, WallTime now) {
  Authority authority{{*files.certificate, Secret(files.key.value_or(""))}, {}, false};
  const auto facts = inspect(authority.current.certificate);
  if (!facts || !facts->is_authority) {
    return fail(Errc::invalid,
                "ca/ca.crt is no certificate of an authority; put the right one there, or move "
                "the folder ca away to have a new one made");
  }
  if (files.key && !is_key_of(authority.current.key, authority.current.certificate)) {
    return fail(Errc::invalid,
                "ca/ca.key is not the (unencrypted) key of ca/ca.crt; put the right one there");
  }
  if (facts->validity.until <= now) {
    return fail(Errc::invalid,
                "the authority in ca/ca.crt expired at {}; move the folder ca away to have a new "
                "one made, and install the files on all hosts",
                to_iso8601(facts->validity.until));
  }
  authority.previous = split_bundle(files.previous.value_or(""));
  std::erase_if(authority.previous, [&](const std::string& pem) {
    const auto old = inspect(pem);
    return !old || old->validity.until <= now;
  });
  return authority;
}

bool is_trusted(const Authority& authority, const std::string& certificate) {
  return is_signed_by(certificate, authority.current.certificate) ||
         std::ranges::any_of(authority.previous, [&](const std::string& previous) {
           return is_signed_by(certificate, previous);
         });
}

// Why `existing` cannot stay; empty when it can.
std::string reason_to_issue(const Authority& authority, const CertificateRequest& request,
                            const std::optional<KeyPair>& existing, const IssuePolicy& policy) {
  if (!existing) return "first issue";
  const auto facts = inspect(existing->certificate);
  if (!facts) return "the file held no certificate";
  if (!is_key_of(existing->key, existing->certificate)) return "its key was another one's";
  if (!is_trusted(authority, existing->certificate)) return "signed by another authority";
  if (facts->validity.until <= policy.now) return "expired";
  if (facts->alternative_names != request.alternative_names() ||
      facts->common_name != request.common_name) {
    return "the host's names or addresses changed";
  }
  const bool for_server = request.use != KeyUse::client;
  const bool for_client = request.use != KeyUse::server;
  if (facts->for_server != for_server || facts->for_client != for_client) {
    return "its usage changed";
  }
  return policy.renew == Renew::certificates ? "renewed on request" : "";
}

}  // namespace

std::string Authority::trust_bundle() const {
  auto bundle = current.certificate;
  for (const auto& certificate : previous) bundle += certificate;
  return bundle;
}

Result<Authority> keep_or_make_authority(const AuthorityFiles& files, std::string_view cluster,
                                         const IssuePolicy& policy) {
  const auto make = [&] {
    return make_authority(cluster, validity_of(policy, policy.authority_days));
  };
  if (!files.certificate) {
    if (files.key) {
      return fail(Errc::invalid, "ca/ca.key is there but ca/ca.crt is not; put it back");
    }
    auto made = make();
    if (!made) return pass_on(made.error());
    return Authority{*std::move(made), {}, true};
  }
  auto authority = read_authority(files, policy.now);
  if (!authority || policy.renew == Renew::nothing || policy.renew == Renew::certificates) {
    return authority;
  }
  if (policy.renew == Renew::retire) {
    authority->previous.clear();
    return authority;
  }
  auto made = make();
  if (!made) return pass_on(made.error());
  authority->previous.insert(authority->previous.begin(), authority->current.certificate);
  return Authority{*std::move(made), std::move(authority->previous), true};
}

Result<Issued> keep_or_issue(const Authority& authority, const CertificateRequest& request,
                             const std::optional<KeyPair>& existing, const IssuePolicy& policy) {
  auto reason = reason_to_issue(authority, request, existing, policy);
  if (reason.empty()) return Issued{*existing, ""};
  if (policy.renew == Renew::retire) {
    // Signing and ending the trust in one step would cut hosts off from each other.
    return fail(Errc::refused,
                "the old authority is still needed: the certificate of {} has to be signed anew "
                "({}); renew the certificates first and install them on all hosts",
                request.common_name, reason);
  }
  if (authority.current.key.empty()) {
    return fail(Errc::refused,
                "a certificate of {} has to be signed ({}), but ca/ca.key is not there; bring it "
                "for this run",
                request.common_name, reason);
  }
  auto pair = issue(authority.current, request, validity_of(policy, policy.leaf_days));
  if (!pair) return pass_on(pair.error());
  return Issued{*std::move(pair), std::move(reason)};
}

}  // namespace tanist::provision
