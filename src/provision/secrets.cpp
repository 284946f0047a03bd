// SPDX-License-Identifier: Apache-2.0
// Random passwords by OpenSSL's generator.
#include "provision/secrets.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cctype>

#include "base/assert.h"

namespace tanist::provision {

namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t password_size = 32;
constexpr std::size_t password_size_min = 8;
constexpr std::size_t password_size_max = 200;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// True for characters that neither YAML in quotes nor HAProxy's configuration treats specially.
bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("._~-").find(c) != std::string_view::npos;
}

}  // namespace

Result<Secret> random_password() {
  // Bytes past the last whole multiple would make some letters likelier than others.
  constexpr unsigned char byte_max = 256 / letters.size() * letters.size() - 1;
  std::string password;
  while (password.size() < password_size) {
    unsigned char byte = 0;
    if (RAND_bytes(&byte, 1) != 1) {
      return fail(Errc::failed, "OpenSSL has no random numbers for a password");
    }
    if (byte > byte_max) continue;
    const char c = letters[byte % letters.size()];
    if (password.empty() && !is_letter(c)) continue;
    password += c;
  }
  return Secret(std::move(password));
}

Result<Secret> password_from(std::string_view file_content) {
  auto text = file_content;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() < password_size_min || text.size() > password_size_max ||
      !std::ranges::all_of(text, is_plain)) {
    return fail(Errc::invalid,
                "a password here has {} to {} letters, digits and ._~- in one line; write such a "
                "one, or remove the file to have one made",
                password_size_min, password_size_max);
  }
  return Secret(std::string(text));
}

std::string with_passwords(std::string text, const Secrets& secrets) {
  for (const auto& entry : names_of(SecretName{})) {
    const auto name = entry.first;
    const auto mark = mark_of(name);
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
      const auto found = secrets.find(name);
      TANIST_REQUIRE(found != secrets.end());
      text.replace(at, mark.size(), found->second.reveal());
      at += found->second.reveal().size();
    }
  }
  return text;
}

}  // namespace tanist::provision
