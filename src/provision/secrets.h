// SPDX-License-Identifier: Apache-2.0
// Passwords: making them, accepting those that are there, and putting them where a plan has marks.
// Files are provision.cpp's. Any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "provision/secret_marks.h"

namespace tanist::provision {

using Secrets = std::map<SecretName, Secret>;

// 32 letters and digits from the library's random generator (190 bits), beginning with a letter:
// no file format and no shell reads such a word as anything else. Errc::failed without entropy.
Result<Secret> random_password();

// The password that a file holds, without its line break. Errc::invalid when it has characters
// that a configuration file would have to escape, or is shorter than 8; the message does not show
// it.
Result<Secret> password_from(std::string_view file_content);

// `text` with every mark replaced by its password. Requires: `secrets` is complete.
std::string with_passwords(std::string text, const Secrets& secrets);

}  // namespace tanist::provision
