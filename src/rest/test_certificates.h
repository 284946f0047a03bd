// SPDX-License-Identifier: Apache-2.0
// For tests: a temporary folder, and a certificate authority that writes PEM files into it.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "base/assert.h"

namespace tanist::rest {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "tanist-rest-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct CertificateFiles {
  std::string certificate;
  std::string key;
};

struct CertificateWish {
  std::string name;  // common name, and of the files
  long serial = 1;
  std::string addresses = "IP:127.0.0.1";  // subjectAltName
  std::string phrase = {};                 // of the key
};

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name)
      : name_(name), key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    const auto certificate = make({.name = name, .addresses = ""}, key_.get());
    write(folder_.file("ca.crt"), [&](FILE* file) { PEM_write_X509(file, certificate.get()); });
  }

  std::string ca_file() const { return folder_.file("ca.crt"); }
  std::string file(const std::string& name) const { return folder_.file(name); }

  // Writes NAME.crt and NAME.key, over older ones.
  CertificateFiles issue(const CertificateWish& wish) const {
    const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const auto certificate = make(wish, key.get());
    CertificateFiles files{folder_.file(wish.name + ".crt"), folder_.file(wish.name + ".key")};
    write(files.certificate, [&](FILE* file) { PEM_write_X509(file, certificate.get()); });
    write(files.key, [&](FILE* file) {
      const auto* phrase = reinterpret_cast<const unsigned char*>(wish.phrase.data());
      PEM_write_PKCS8PrivateKey(file, key.get(), wish.phrase.empty() ? nullptr : EVP_aes_128_cbc(),
                                reinterpret_cast<const char*>(phrase),
                                static_cast<int>(wish.phrase.size()), nullptr, nullptr);
    });
    return files;
  }

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

  template <class Write>
  static void write(const std::string& path, Write content) {
    FILE* file = std::fopen(path.c_str(), "w");
    TANIST_REQUIRE(file != nullptr);
    content(file);
    std::fclose(file);
  }

  static void put_name(X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  }

  static void put_extension(X509* certificate, int kind, const std::string& value) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  Certificate make(const CertificateWish& wish, EVP_PKEY* key) const {
    Certificate certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), wish.serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key);
    put_name(X509_get_subject_name(certificate.get()), wish.name);
    put_name(X509_get_issuer_name(certificate.get()), name_);
    if (wish.addresses.empty()) {
      put_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    } else {
      put_extension(certificate.get(), NID_subject_alt_name, wish.addresses);
    }
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    return certificate;
  }

  std::string name_;
  TemporaryFolder folder_;
  Key key_;
};

}  // namespace tanist::rest
