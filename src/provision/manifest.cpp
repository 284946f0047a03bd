// SPDX-License-Identifier: Apache-2.0
// The manifest's lines and their digests, in the form of sha256sum.
#include "provision/manifest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/format.h"

namespace tanist::provision {

namespace {

constexpr std::size_t digest_size = 64;  // hexadecimal digits of SHA-256
constexpr std::string_view separator = "  ";

std::string digest_of(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  const int done =
      EVP_Digest(content.data(), content.size(), bytes.data(), &size, EVP_sha256(), nullptr);
  TANIST_REQUIRE(done == 1);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += format_text("{:02x}", bytes[i]);
  return text;
}

}  // namespace

Result<Manifest> Manifest::parse(std::string_view text) {
  Manifest manifest;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool fits = line.size() > digest_size + separator.size() &&
                      line.substr(digest_size, separator.size()) == separator;
    if (!fits) {
      return fail(Errc::invalid,
                  "{} is damaged; remove it, and give the option to overwrite if the files in the "
                  "folder are provision's own",
                  file_name);
    }
    const auto path = line.substr(digest_size + separator.size());
    manifest.digests_[std::string(path)].emplace(line.substr(0, digest_size));
  }
  return manifest;
}

void Manifest::remember(const std::string& path, std::string_view content) {
  digests_[path].insert(digest_of(content));
}

void Manifest::remember(const std::string& path, const Manifest& earlier) {
  const auto found = earlier.digests_.find(path);
  if (found != earlier.digests_.end())
    digests_[path].insert(found->second.begin(), found->second.end());
}

bool Manifest::wrote(const std::string& path, std::string_view content) const {
  const auto found = digests_.find(path);
  return found != digests_.end() && found->second.contains(digest_of(content));
}

std::vector<std::string> Manifest::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, digests] : digests_) paths.push_back(path);
  return paths;
}

std::string Manifest::text() const {
  std::string text;
  for (const auto& [path, digests] : digests_) {
    for (const auto& digest : digests) text += format_text("{}{}{}\n", digest, separator, path);
  }
  return text;
}

}  // namespace tanist::provision
