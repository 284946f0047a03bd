// SPDX-License-Identifier: Apache-2.0
// decide() over a recorded observation, and the comparison of two decisions. Pure; any thread.
#include "journal/replay.h"

#include <algorithm>

#include "base/format.h"
#include "core/decide.h"

namespace tanist::journal {

namespace {

std::string below(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

class Comparing {
 public:
  void compare(const std::string& path, const Tree& before, const Tree& now) {
    if (before == now) return;
    if (before.is_map() && now.is_map()) return compare_maps(path, before, now);
    const auto* old_items = before.as_list();
    const auto* new_items = now.as_list();
    if (old_items == nullptr || new_items == nullptr) {
      found_.push_back({path, before, now});
      return;
    }
    for (std::size_t i = 0; i < std::max(old_items->size(), new_items->size()); ++i) {
      compare(format_text("{}[{}]", path, i), i < old_items->size() ? old_items->at(i) : Tree(),
              i < new_items->size() ? new_items->at(i) : Tree());
    }
  }

  std::vector<Difference> take() { return std::move(found_); }

 private:
  void compare_maps(const std::string& path, const Tree& before, const Tree& now) {
    for (const auto& [name, value] : *before.as_map()) {
      const auto* other = now.find(name);
      compare(below(path, name), value, other != nullptr ? *other : Tree());
    }
    for (const auto& [name, value] : *now.as_map()) {
      if (before.find(name) == nullptr) compare(below(path, name), Tree(), value);
    }
  }

  std::vector<Difference> found_;
};

}  // namespace

std::vector<Difference> decide_again(const Decided& decided) {
  const auto& obs = decided.observation;
  auto now = decision_tree(obs, decide(obs));
  SecretMask mask;  // what decide() reads is masked already; only its own texts may hold more
  mask.hide(now);
  Comparing comparing;
  comparing.compare({}, decided.decision, now);
  return comparing.take();
}

}  // namespace tanist::journal
