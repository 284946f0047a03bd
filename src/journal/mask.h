// SPDX-License-Identifier: Apache-2.0
// Takes secrets out of what is written down: values under names like `password`, passwords inside
// URLs and connection strings, and both within JSON texts. Equal secrets get equal masks, different
// ones different masks, so that a decision that compares them comes out the same from the masked
// observation. The numbers are handed out as secrets come: nothing can be derived from them.
// One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/tree.h"

namespace tanist::journal {

class SecretMask {
 public:
  // Masks all secrets below `tree`. What is masked already stays as it is.
  void hide(Tree& tree);
  std::string hidden(std::string_view text);

 private:
  std::string mask_of(std::string_view secret);
  void hide_value(Tree& value);
  std::string hide_in_text(std::string_view text);

  std::map<std::string, std::size_t, std::less<>> numbers_;
};

// Whether the value under this name is one that must not be shown.
bool is_secret_name(std::string_view name);

}  // namespace tanist::journal
