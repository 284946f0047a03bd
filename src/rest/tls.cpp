// SPDX-License-Identifier: Apache-2.0
// Making of TLS contexts with OpenSSL.
#include "rest/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <cstring>
#include <ctime>

#include "os/file.h"

namespace tanist::rest {

namespace ssl = boost::asio::ssl;

namespace {

// The first of OpenSSL's queued errors, and an empty queue for the next caller.
std::string openssl_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no cause given";
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "OpenSSL error " + std::to_string(code);
}

tl::unexpected<Error> file_failure(std::string_view what, const std::string& path) {
  return fail(Errc::invalid, "cannot use {} {}: {}", what, path, openssl_error());
}

// Without it OpenSSL would ask at the terminal.
int give_key_phrase(char* out, int size, int, void* phrase) {
  const auto& text = static_cast<const Secret*>(phrase)->reveal();
  if (text.empty() || text.size() > static_cast<std::size_t>(size)) return 0;
  std::memcpy(out, text.data(), text.size());
  return static_cast<int>(text.size());
}

// Hands the phrase to OpenSSL while it lives. Must be gone before asio's context is destroyed:
// that one takes the callback's data for its own.
class KeyPhrase {
 public:
  KeyPhrase(SSL_CTX* context, const Secret& phrase) : context_(context) {
    SSL_CTX_set_default_passwd_cb(context_, give_key_phrase);
    SSL_CTX_set_default_passwd_cb_userdata(context_, const_cast<Secret*>(&phrase));
  }
  KeyPhrase(const KeyPhrase&) = delete;
  KeyPhrase& operator=(const KeyPhrase&) = delete;
  ~KeyPhrase() {
    SSL_CTX_set_default_passwd_cb_userdata(context_, nullptr);
    SSL_CTX_set_default_passwd_cb(context_, nullptr);
  }

 private:
  SSL_CTX* context_;
};

struct Identity {
  const std::string& certificate;
  const std::string& key;  // empty = in the certificate's file
  const Secret& phrase;
};

Result<void> load_identity(SSL_CTX* context, const Identity& identity) {
  const auto& key = identity.key.empty() ? identity.certificate : identity.key;
  const KeyPhrase phrase(context, identity.phrase);
  if (SSL_CTX_use_certificate_chain_file(context, identity.certificate.c_str()) != 1) {
    return file_failure("certificate", identity.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return file_failure("key", key);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return fail(Errc::invalid, "key {} does not belong to certificate {}", key,
                identity.certificate);
  }
  return {};
}

TlsContext new_context(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

int verify_mode(VerifyClient verify) {
  switch (verify) {
    case VerifyClient::none: return SSL_VERIFY_NONE;
    case VerifyClient::optional: return SSL_VERIFY_PEER;
    case VerifyClient::required: return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_NONE;
}

Result<void> load_client_cas(SSL_CTX* context, const std::string& path) {
  if (SSL_CTX_load_verify_file(context, path.c_str()) != 1) {
    return file_failure("CA file", path);
  }
  // Tells clients with several certificates which one to send.
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(path.c_str()));
  return {};
}

}  // namespace

Result<TlsContext> make_server_tls(const RestSettings& settings) {
  ERR_clear_error();
  auto context = new_context(ssl::context::tls_server);
  auto* handle = context->native_handle();
  // Sessions of verified clients are resumed only within a named context.
  static constexpr unsigned char session_context[] = "tanist-rest";
  SSL_CTX_set_session_id_context(handle, session_context, sizeof session_context - 1);
  if (auto loaded =
          load_identity(handle, {settings.cert_file, settings.key_file, settings.key_password});
      !loaded) {
    return pass_on(std::move(loaded.error()));
  }
  if (!settings.ca_file.empty()) {
    if (auto loaded = load_client_cas(handle, settings.ca_file); !loaded) {
      return pass_on(std::move(loaded.error()));
    }
  }
  SSL_CTX_set_verify(handle, verify_mode(settings.verify_client), nullptr);
  if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(handle, settings.ciphers.c_str()) != 1) {
    return fail(Errc::invalid, "restapi.ciphers \"{}\": {}", settings.ciphers, openssl_error());
  }
  return context;
}

Result<PeerTls> make_peer_tls(const PeerClientSettings& settings, Trust trust) {
  ERR_clear_error();
  PeerTls peer;
  peer.context = new_context(ssl::context::tls_client);
  auto* handle = peer.context->native_handle();
  const bool has_certificate = !settings.cert_file.empty();
  if (has_certificate) {
    if (auto loaded =
            load_identity(handle, {settings.cert_file, settings.key_file, settings.key_password});
        !loaded) {
      return pass_on(std::move(loaded.error()));
    }
  }
  // `insecure` switches off the chain's verification only where no client certificate is in use.
  const bool lax = trust == Trust::agent || settings.insecure;
  peer.verify_host_name = !lax;
  if (lax && !has_certificate) return peer;
  SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nullptr);
  if (settings.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(handle);
  } else if (SSL_CTX_load_verify_file(handle, settings.ca_file.c_str()) != 1) {
    return file_failure("CA file", settings.ca_file);
  }
  return peer;
}

Result<std::string> fingerprint_of(const RestSettings& settings) {
  std::string digests;
  for (const auto* path : {&settings.cert_file, &settings.key_file, &settings.ca_file}) {
    if (path->empty()) continue;
    const auto content = os::read_file(*path);
    if (!content) return pass_on(content.error());
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(content->data()), content->size(), digest.data());
    digests.append(digest.begin(), digest.end());
  }
  return digests;
}

namespace {

std::optional<WallTime> expiry_of(const X509* certificate) {
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
    return std::nullopt;
  }
  return WallTime(seconds(timegm(&end)));
}

}  // namespace

std::optional<WallTime> expiry_of(const TlsContext& context) {
  return expiry_of(context != nullptr ? SSL_CTX_get0_certificate(context->native_handle())
                                      : nullptr);
}

std::optional<WallTime> expiry_of_file(const std::string& path) {
  const auto text = os::read_file(path);
  if (!text) return std::nullopt;
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(
      BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr), X509_free);
  ERR_clear_error();
  return expiry_of(certificate.get());
}

}  // namespace tanist::rest
