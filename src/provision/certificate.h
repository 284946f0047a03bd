// SPDX-License-Identifier: Apache-2.0
// X.509 certificates of a private authority: making, issuing and reading them back, as PEM text.
// ECDSA keys on P-256, signatures with SHA-256. No files and no clock here; what is to be kept or
// issued anew decides authority.h. OpenSSL's own errors end up in the messages. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "provision/address.h"

namespace tanist::provision {

// Extended key usage. etcd's members need both: they call each other, and their server
// certificate is also what the gateway inside etcd shows to its own port.
enum class KeyUse { server, client, server_and_client };

std::string_view to_text(KeyUse use);

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> dns_names;  // checked by the topology: letters, digits, '-' and '.'
  std::vector<Address> addresses;
  KeyUse use = KeyUse::server;

  // Subject alternative names, sorted and each once: "DNS:pg-1", "IP:10.0.0.1".
  std::vector<std::string> alternative_names() const;
};

struct Validity {
  WallTime from;
  WallTime until;  // both cut to whole seconds
};

struct KeyPair {
  std::string certificate;  // PEM
  Secret key;               // PEM, PKCS#8, not encrypted
};

// What a certificate says, as far as it matters here.
struct CertificateFacts {
  std::string common_name;
  std::vector<std::string> alternative_names;  // as CertificateRequest gives them
  bool for_server = false;
  bool for_client = false;
  bool is_authority = false;
  Validity validity;
};

// A self-signed authority that can sign leaves only (path length 0). Its name holds random
// digits, so that two generations of one cluster's authority are told apart by every library.
Result<KeyPair> make_authority(std::string_view cluster, const Validity& validity);

// A new key and its certificate, signed by `authority`. The end of validity is never after the
// authority's. Errc::failed with OpenSSL's text otherwise.
Result<KeyPair> issue(const KeyPair& authority, const CertificateRequest& request,
                      Validity validity);

// Reads the first certificate in `pem`. Errc::invalid when it is none.
Result<CertificateFacts> inspect(std::string_view pem);

// All certificates of a PEM bundle, each as a PEM text of its own; empty for anything else.
std::vector<std::string> split_bundle(std::string_view pem);

// True when `key` is the private key of `certificate`. An encrypted key is not (nobody is asked
// for its pass phrase).
bool is_key_of(const Secret& key, std::string_view certificate);

// True when the signature of `certificate` is the authority's. Says nothing about time.
bool is_signed_by(std::string_view certificate, std::string_view authority);

}  // namespace tanist::provision
