// SPDX-License-Identifier: Apache-2.0
// Which certificates are kept and which are made anew, and the rotation of the authority itself.
// Pure but for OpenSSL's random numbers; files are read and written by provision.cpp. Any thread.
//
// An authority is replaced in three runs, each followed by installing the files on every host:
// `authority` makes a new one and has both trusted, `certificates` has the new one sign everything,
// `retire` ends the trust in the old one. No step cuts two hosts off from each other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "provision/certificate.h"

namespace tanist::provision {

// What an operator asks to have replaced although it is still good.
enum class Renew { nothing, certificates, authority, retire };

struct Authority {
  KeyPair current;                    // an empty key: kept off-line, so nothing can be signed
  std::vector<std::string> previous;  // PEM, still trusted
  bool is_new = false;

  // What hosts get as ca.crt.
  std::string trust_bundle() const;
};

struct AuthorityFiles {
  std::optional<std::string> certificate;
  std::optional<std::string> key;
  std::optional<std::string> previous;
};

struct IssuePolicy {
  WallTime now;
  Renew renew = Renew::nothing;
  std::chrono::days leaf_days{365};
  std::chrono::days authority_days{3650};
};

// Keeps the authority found in `files`, or makes one for `cluster`. Errc::invalid when the files
// are no authority, do not belong together or are no longer valid; the message names the remedy.
Result<Authority> keep_or_make_authority(const AuthorityFiles& files, std::string_view cluster,
                                         const IssuePolicy& policy);

// A certificate with its key, and why it is not the one that was there before.
struct Issued {
  KeyPair pair;
  std::string reason;  // empty = kept; otherwise a few words: "first issue", "expired", ...
};

// Keeps `existing` while it is what the plan asks for: signed by a trusted authority, unexpired,
// with these names and usages and its own key. Errc::refused when a new one is needed and the
// authority's key is not there.
Result<Issued> keep_or_issue(const Authority& authority, const CertificateRequest& request,
                             const std::optional<KeyPair>& existing, const IssuePolicy& policy);

}  // namespace tanist::provision
