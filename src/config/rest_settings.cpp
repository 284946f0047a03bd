// SPDX-License-Identifier: Apache-2.0
// Sections restapi and ctl (contract rest 2, config 4.3 and 4.4). Pure; any thread.
#include <algorithm>
#include <array>
#include <cctype>

#include "base/format.h"
#include "config/address.h"
#include "config/settings_parts.h"
#include "core/published_values.h"

namespace tanist::config {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string server_header(const Layers& layers, const Section& rest) {
  const auto own = format_text("tanist/{}", TANIST_VERSION);
  const auto tokens = lower(rest.text("server_tokens", "original"));
  if (tokens == "minimal") return format_text("Patroni/{}", compatible_version);
  if (tokens == "productonly") return "Patroni";
  if (tokens != "original") {
    layers.warnings.push_back(layers.origin.location("restapi.server_tokens") +
                              "restapi.server_tokens is none of Minimal, ProductOnly, Original; "
                              "Original is used");
  }
  return own;
}

VerifyClient verify_client(const Layers& layers, const Section& rest) {
  const auto word = lower(rest.text("verify_client", "none"));
  if (word == "required") return VerifyClient::required;
  if (word == "optional") return VerifyClient::optional;
  if (word != "none") {
    layers.warnings.push_back(layers.origin.location("restapi.verify_client") +
                              "restapi.verify_client is none of none, optional, required; client "
                              "certificates are not asked for");
  }
  return VerifyClient::none;
}

std::map<std::string, std::string> extra_headers(const Section& rest, bool use_tls) {
  auto headers = rest.text_map("http_extra_headers");
  if (!use_tls) return headers;
  for (auto& [name, value] : rest.text_map("https_extra_headers")) headers[name] = value;
  return headers;
}

bool is_every_address(const std::string& host) {
  return host.empty() || host == "*" || host == "0.0.0.0" || host == "::";
}

Result<void> read_addresses(const Layers& layers, const Section& rest, RestSettings& out) {
  const auto text = rest.text("listen");
  if (text.empty()) {
    return missing(layers, "restapi.listen", "add \"restapi: {listen: 'HOST:8008'}\"");
  }
  const auto listen = parse_host_port(text);
  if (!listen) {
    return unusable(layers, "restapi.listen",
                    format_text("Invalid \"restapi\" config: expected <HOST>:<PORT> for "
                                "\"listen\", but got \"{}\"",
                                text));
  }
  out.listen = out.connect = *listen;
  if (out.listen.host == "*") out.listen.host.clear();
  if (const auto address = rest.text("connect_address"); !address.empty()) {
    const auto connect = parse_host_port(address);
    if (!connect) return unusable(layers, "restapi.connect_address", connect.error().message);
    out.connect = *connect;
  } else if (is_every_address(listen->host)) {
    layers.warnings.push_back(
        layers.origin.location("restapi") +
        "restapi.connect_address is missing and restapi.listen names no single address: other "
        "members cannot reach this one; add \"connect_address: HOST:8008\"");
  }
  return {};
}

}  // namespace

Result<BasicAuthentication> authentication_from(const Layers& layers, std::string_view section) {
  const auto authentication = local_section(layers, section).section("authentication");
  BasicAuthentication out{authentication.text("username"), authentication.secret("password")};
  if (out.username.empty() == out.password.empty()) return out;
  const auto path = format_text("{}.authentication", section);
  return unusable(layers, path,
                  format_text("{} is missing; give both username and password, or neither",
                              out.username.empty() ? "username" : "password"));
}

Result<RestSettings> rest_settings_from(const Layers& layers) {
  const auto rest = local_section(layers, "restapi");
  RestSettings out;
  const auto addresses = read_addresses(layers, rest, out);
  if (!addresses) return pass_on(addresses.error());
  auto authentication = authentication_from(layers, "restapi");
  if (!authentication) return pass_on(authentication.error());
  out.username = std::move(authentication->username);
  out.password = std::move(authentication->password);
  out.cert_file = rest.text("certfile");
  out.key_file = rest.text("keyfile");
  out.key_password = rest.secret("keyfile_password");
  out.ca_file = rest.text("cafile");
  out.ciphers = rest.text("ciphers");
  out.verify_client = verify_client(layers, rest);
  out.allowlist = rest.texts("allowlist", true);
  out.allowlist_include_members = rest.flag("allowlist_include_members", false);
  out.extra_headers = extra_headers(rest, !out.cert_file.empty());
  out.server_header = server_header(layers, rest);
  out.request_queue_size =
      static_cast<int>(std::clamp<std::int64_t>(rest.integer("request_queue_size", 5), 0, 4096));
  return out;
}

Result<PeerClientSettings> peer_client_settings_from(const Layers& layers) {
  const auto ctl = local_section(layers, "ctl");
  const auto rest = local_section(layers, "restapi");
  auto authentication = authentication_from(layers, ctl.has("authentication") ? "ctl" : "restapi");
  if (!authentication) return pass_on(authentication.error());
  PeerClientSettings out;
  out.username = std::move(authentication->username);
  out.password = std::move(authentication->password);
  out.insecure = ctl.flag("insecure", false);
  out.ca_file = ctl.text("cacert", rest.text("cafile"));
  out.cert_file = ctl.text("certfile");
  out.key_file = ctl.text("keyfile");
  out.key_password = ctl.secret("keyfile_password");
  return out;
}

}  // namespace tanist::config
