// SPDX-License-Identifier: Apache-2.0
// Certificates through OpenSSL's library. Every OpenSSL object is owned by a unique_ptr; the
// error queue is emptied into the message of the failure it belongs to.
#include "provision/certificate.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>

namespace tanist::provision {

namespace {

struct Free {
  void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};

template <class T>
using Owned = std::unique_ptr<T, Free>;

tl::unexpected<Error> openssl_failure(std::string_view doing) {
  std::string reasons;
  while (const auto code = ERR_get_error()) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    reasons += std::string(reasons.empty() ? "" : "; ") + text;
  }
  return fail(Errc::failed, "OpenSSL cannot {}: {}", doing,
              reasons.empty() ? "no reason given" : reasons);
}

// OpenSSL would otherwise ask at the terminal for the pass phrase of an encrypted key.
int no_pass_phrase(char*, int, int, void*) { return -1; }

Owned<BIO> reading(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Owned<X509> certificate_of(std::string_view pem) {
  const auto bio = reading(pem);
  Owned<X509> certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr)
                              : nullptr);
  if (!certificate) ERR_clear_error();
  return certificate;
}

Owned<EVP_PKEY> key_of(const Secret& pem) {
  const auto bio = reading(pem.reveal());
  Owned<EVP_PKEY> key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr)
                          : nullptr);
  if (!key) ERR_clear_error();
  return key;
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return "";
  return written(bio.get());
}

Secret pem_of(EVP_PKEY* key) {
  const Owned<BIO> bio(BIO_new(BIO_s_secmem()));
  if (!bio) return Secret();
  if (PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Secret();
  }
  return Secret(written(bio.get()));
}

bool set_random_serial(X509* certificate) {
  const Owned<BIGNUM> number(BN_new());
  // 159 bits: positive and at most 20 bytes, as RFC 5280 wants it.
  return number && BN_rand(number.get(), 159, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_time(ASN1_TIME* target, WallTime time) {
  return ASN1_TIME_set(target, std::chrono::system_clock::to_time_t(time)) != nullptr;
}

bool add_name(X509_NAME* name, const char* field, std::string_view value) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes,
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

struct Extension {
  int nid;
  std::string value;
};

bool add_extensions(X509* certificate, X509* issuer, const std::vector<Extension>& extensions) {
  return std::ranges::all_of(extensions, [&](const Extension& extension) {
    return add_extension(certificate, issuer, extension.nid, extension.value);
  });
}

// An unsigned certificate with everything but its issuer and extensions.
Owned<X509> blank(EVP_PKEY* key, std::string_view common_name, const Validity& validity) {
  Owned<X509> certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1) return nullptr;
  const bool filled = set_random_serial(certificate.get()) &&
                      set_time(X509_getm_notBefore(certificate.get()), validity.from) &&
                      set_time(X509_getm_notAfter(certificate.get()), validity.until) &&
                      X509_set_pubkey(certificate.get(), key) == 1 &&
                      add_name(X509_get_subject_name(certificate.get()), "CN", common_name);
  return filled ? std::move(certificate) : nullptr;
}

std::string random_digits() {
  const Owned<BIGNUM> number(BN_new());
  if (!number || BN_rand(number.get(), 32, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1) return "";
  char* text = BN_bn2hex(number.get());
  std::string digits = text != nullptr ? text : "";
  OPENSSL_free(text);
  return digits;
}

std::string usage_extension(KeyUse use) {
  if (use == KeyUse::server) return "serverAuth";
  return use == KeyUse::client ? "clientAuth" : "serverAuth,clientAuth";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime{};
  return std::chrono::time_point_cast<WallTime::duration>(
      std::chrono::system_clock::from_time_t(timegm(&parts)));
}

std::string address_text(const ASN1_OCTET_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(bytes) == 16 ? AF_INET6 : AF_INET;
  if (ASN1_STRING_length(bytes) != 16 && ASN1_STRING_length(bytes) != 4) return "?";
  inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof text);
  return text;
}

std::vector<std::string> alternative_names_of(const X509* certificate) {
  const Owned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> texts;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
      const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
      texts.push_back("DNS:" + std::string(bytes, size));
    } else if (name->type == GEN_IPADD) {
      texts.push_back("IP:" + address_text(name->d.iPAddress));
    } else {
      texts.emplace_back("other");
    }
  }
  std::ranges::sort(texts);
  return texts;
}

std::string common_name_of(const X509* certificate) {
  char text[256] = "";
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                             text, sizeof text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
}

}  // namespace

std::string_view to_text(KeyUse use) {
  if (use == KeyUse::server) return "server";
  return use == KeyUse::client ? "client" : "server and client";
}

std::vector<std::string> CertificateRequest::alternative_names() const {
  std::vector<std::string> names;
  names.reserve(dns_names.size() + addresses.size());
  for (const auto& name : dns_names) names.push_back("DNS:" + name);
  for (const auto& address : addresses) names.push_back("IP:" + address.text());
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

Result<KeyPair> make_authority(std::string_view cluster, const Validity& validity) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failure("make a key");
  // A common name holds at most 64 characters.
  const auto name = std::string(cluster.substr(0, 40)) + " authority " + random_digits();
  const auto certificate = blank(key.get(), name, validity);
  if (!certificate) return openssl_failure("make the authority's certificate");
  X509* const self = certificate.get();
  const bool complete = X509_set_issuer_name(self, X509_get_subject_name(self)) == 1 &&
                        add_extensions(self, self,
                                       {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                        {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                        {NID_subject_key_identifier, "hash"}}) &&
                        X509_sign(self, key.get(), EVP_sha256()) > 0;
  if (!complete) return openssl_failure("sign the authority's certificate");
  return KeyPair{pem_of(self), pem_of(key.get())};
}

Result<KeyPair> issue(const KeyPair& authority, const CertificateRequest& request,
                      Validity validity) {
  const auto issuer = certificate_of(authority.certificate);
  const auto issuer_key = key_of(authority.key);
  if (!issuer || !issuer_key) return fail(Errc::invalid, "the authority cannot be read");
  validity.until = std::min(validity.until, wall_time(X509_get0_notAfter(issuer.get())));
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failure("make a key");
  const auto certificate = blank(key.get(), request.common_name, validity);
  if (!certificate) return openssl_failure("make the certificate of " + request.common_name);
  const bool complete =
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) == 1 &&
      add_extensions(certificate.get(), issuer.get(),
                     {{NID_basic_constraints, "critical,CA:FALSE"},
                      {NID_key_usage, "critical,digitalSignature"},
                      {NID_ext_key_usage, usage_extension(request.use)},
                      {NID_subject_key_identifier, "hash"},
                      {NID_authority_key_identifier, "keyid"},
                      {NID_subject_alt_name, joined(request.alternative_names())}}) &&
      X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) > 0;
  if (!complete) return openssl_failure("sign the certificate of " + request.common_name);
  return KeyPair{pem_of(certificate.get()), pem_of(key.get())};
}

Result<CertificateFacts> inspect(std::string_view pem) {
  const auto certificate = certificate_of(pem);
  if (!certificate) return fail(Errc::invalid, "no certificate in PEM form");
  const auto flags = X509_get_extension_flags(certificate.get());
  const auto usage = X509_get_extended_key_usage(certificate.get());
  const bool lists_usage = (flags & EXFLAG_XKUSAGE) != 0;
  return CertificateFacts{
      .common_name = common_name_of(certificate.get()),
      .alternative_names = alternative_names_of(certificate.get()),
      .for_server = lists_usage && (usage & XKU_SSL_SERVER) != 0,
      .for_client = lists_usage && (usage & XKU_SSL_CLIENT) != 0,
      .is_authority = X509_check_ca(certificate.get()) == 1,
      .validity = {wall_time(X509_get0_notBefore(certificate.get())),
                   wall_time(X509_get0_notAfter(certificate.get()))},
  };
}

std::vector<std::string> split_bundle(std::string_view pem) {
  std::vector<std::string> certificates;
  const auto bio = reading(pem);
  while (bio) {
    const Owned<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr));
    if (!certificate) break;
    certificates.push_back(pem_of(certificate.get()));
  }
  ERR_clear_error();
  return certificates;
}

bool is_key_of(const Secret& key, std::string_view certificate) {
  const auto private_key = key_of(key);
  const auto read = certificate_of(certificate);
  const bool matches =
      private_key && read && X509_check_private_key(read.get(), private_key.get()) == 1;
  ERR_clear_error();
  return matches;
}

bool is_signed_by(std::string_view certificate, std::string_view authority) {
  const auto read = certificate_of(certificate);
  const auto signer = certificate_of(authority);
  const bool signed_by =
      read && signer && X509_verify(read.get(), X509_get0_pubkey(signer.get())) == 1;
  ERR_clear_error();
  return signed_by;
}

}  // namespace tanist::provision
