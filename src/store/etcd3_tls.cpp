// SPDX-License-Identifier: Apache-2.0
// Reads PEM files.
#include "store/etcd3_tls.h"

#include "os/file.h"

namespace tanist::store {

namespace {

constexpr const char* system_trust_store = "/etc/ssl/certs/ca-certificates.crt";

}  // namespace

Result<TlsFiles> read_tls_files(const StoreSettings& settings) {
  TlsFiles files;
  const auto& ca_file = settings.ca_file.empty() ? system_trust_store : settings.ca_file;
  auto ca = os::read_file(ca_file);
  if (!ca) return pass_on(ca.error(), "cannot read the TLS files for etcd");
  files.ca = std::move(*ca);
  if (settings.cert_file.empty()) return files;
  auto cert = os::read_file(settings.cert_file);
  if (!cert) return pass_on(cert.error(), "cannot read the TLS files for etcd");
  files.cert = std::move(*cert);
  auto key = settings.key_file.empty() ? files.cert : os::read_file(settings.key_file);
  if (!key) return pass_on(key.error(), "cannot read the TLS files for etcd");
  files.key = std::move(*key);
  return files;
}

}  // namespace tanist::store
