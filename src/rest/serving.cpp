// SPDX-License-Identifier: Apache-2.0
// Making a configuration ready for use.
#include "rest/serving.h"

#include <tuple>
#include <utility>

#include "base/log.h"
#include "rest/documents.h"

namespace tanist::rest {

namespace {

bool same_transport(const RestSettings& a, const RestSettings& b) {
  const auto tied = [](const RestSettings& s) {
    return std::tie(s.cert_file, s.key_file, s.ca_file, s.ciphers, s.verify_client);
  };
  return tied(a) == tied(b);
}

void warn_of(std::string_view what, const std::vector<std::string>& entries) {
  for (const auto& entry : entries) log_warning("{} is left out: \"{}\"", what, entry);
}

}  // namespace

Result<ServingPtr> make_serving(RestSettings settings, const Serving* previous) {
  auto serving = std::make_shared<Serving>();
  if (!settings.cert_file.empty()) {
    // Files that change meanwhile are found changed the next time.
    auto print = fingerprint_of(settings);
    if (!print) return pass_on(std::move(print.error()), "REST API");
    auto tls = make_server_tls(settings);
    if (!tls) return pass_on(std::move(tls.error()), "REST API");
    serving->fingerprint = std::move(*print);
    serving->certificate_expires = expiry_of(*tls);
    serving->tls = std::move(*tls);
  }
  std::vector<std::string> bad_entries;
  serving->access = AccessRules(settings, bad_entries);
  warn_of("unusable entry of restapi.allowlist", bad_entries);
  std::vector<std::string> bad_headers;
  serving->extra_headers = sendable(settings.extra_headers, bad_headers);
  warn_of("unusable extra header of restapi", bad_headers);
  serving->server = settings.server_header.empty() ? "tanist" : settings.server_header;
  if (previous != nullptr) {
    const bool same = same_transport(settings, previous->settings);
    serving->transport = previous->transport + (same ? 0 : 1);
  }
  serving->settings = std::move(settings);
  return serving;
}

}  // namespace tanist::rest
