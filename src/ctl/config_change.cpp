// SPDX-License-Identifier: Apache-2.0
// Settings of the command line laid into the configuration. Pure; any thread.
#include "ctl/config_change.h"

#include <string>
#include <vector>

#include "yaml/yaml.h"

namespace tanist::ctl {

namespace {

using Path = std::vector<std::string>;

Path split_path(std::string_view text) {
  constexpr std::string_view parameters = "postgresql.parameters.";
  if (text.starts_with(parameters)) {
    return {"postgresql", "parameters", std::string(text.substr(parameters.size()))};
  }
  Path path;
  while (true) {
    const auto dot = text.find('.');
    path.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return path;
    text.remove_prefix(dot + 1);
  }
}

bool is_empty(const Tree& value) {
  if (value.is_null()) return true;
  if (const auto* text = value.as_string()) return text->empty();
  if (const auto* map = value.as_map()) return map->empty();
  const auto* list = value.as_list();
  return list != nullptr && list->empty();
}

void set_at(Tree& tree, const Path& path, Tree value) {
  Tree* at = &tree;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    auto* next = at->find(path[i]);
    at = next != nullptr && next->is_map() ? next : &at->set(path[i], Tree::map());
  }
  at->set(path.back(), std::move(value));
}

// Deletes path[level...] below `tree`, and what is left empty on the way back.
void erase_at(Tree& tree, const Path& path, std::size_t level = 0) {
  if (level + 1 == path.size()) {
    tree.erase(path[level]);
    return;
  }
  auto* next = tree.find(path[level]);
  if (next == nullptr || !next->is_map()) return;
  erase_at(*next, path, level + 1);
  if (is_empty(*next)) tree.erase(path[level]);
}

}  // namespace

Result<void> apply_setting(Tree& config, std::string_view setting) {
  const auto equals = setting.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(Errc::invalid, "Invalid parameter setting {}", setting);
  }
  const auto key = setting.substr(0, equals);
  const auto path = split_path(key);
  if (path.size() > static_cast<std::size_t>(tree_depth_max)) {
    return fail(Errc::invalid, "Invalid parameter setting {}: too many levels", setting);
  }
  auto value = yaml::parse_yaml(setting.substr(equals + 1), key);
  if (!value) return pass_on(value.error());
  if (is_empty(value->tree)) {
    erase_at(config, path);
  } else {
    set_at(config, path, std::move(value->tree));
  }
  return {};
}

}  // namespace tanist::ctl
