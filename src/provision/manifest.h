// SPDX-License-Identifier: Apache-2.0
// Which files in an output folder were written by provision, and with what content, so that a file
// that somebody else wrote or edited is never replaced unasked. A value; no file access; any
// thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tanist::provision {

class Manifest {
 public:
  // Its name in the output folder.
  static constexpr std::string_view file_name = ".provisioned";

  // Reads lines "SHA256  PATH". Errc::invalid for anything else, with the remedy.
  static Result<Manifest> parse(std::string_view text);

  // Content may be remembered twice for one path: the old and the new one, while a run that may
  // be interrupted replaces them.
  void remember(const std::string& path, std::string_view content);
  // Takes over what `earlier` knows of `path`.
  void remember(const std::string& path, const Manifest& earlier);
  bool wrote(const std::string& path, std::string_view content) const;

  std::vector<std::string> paths() const;
  // The lines, sorted by path.
  std::string text() const;

 private:
  std::map<std::string, std::set<std::string>> digests_;
};

}  // namespace tanist::provision
