// SPDX-License-Identifier: Apache-2.0
// The layers of the configuration. Pure; any thread.
#include "config/layers.h"

#include <array>
#include <utility>

#include "config/schema.h"

namespace tanist::config {

namespace {

bool truthy(const Tree& tree, std::string_view key) {
  const auto* value = tree.find(key);
  return value != nullptr && value->truthy();
}

// postgresql.superuser and its like, when there is no postgresql.authentication.
void modernise_credentials(Tree& postgresql) {
  if (postgresql.find("authentication") != nullptr) return;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> places{
      {{"superuser", "superuser"}, {"replication", "replication"}, {"pg_rewind", "superuser"}}};
  Tree authentication = Tree::map();
  for (const auto& [old_place, user] : places) {
    const auto* credentials = postgresql.find(old_place);
    if (credentials == nullptr || !credentials->is_map()) continue;
    if (authentication.find(user) == nullptr) authentication.set(user, *credentials);
  }
  if (postgresql.find("pg_rewind") != nullptr) postgresql.set("use_pg_rewind", true);
  if (authentication.truthy()) postgresql.set("authentication", std::move(authentication));
}

Tree without_legacy_shapes(Tree local) {
  if (!local.is_map()) return Tree::map();
  if (auto* postgresql = local.find("postgresql"); postgresql != nullptr && postgresql->is_map()) {
    modernise_credentials(*postgresql);
    const auto* name = postgresql->find("name");
    if (name != nullptr && !truthy(local, "name")) local.set("name", Tree(*name));
  }
  const auto* exhibitor = local.find_path({"zookeeper", "exhibitor"});
  if (exhibitor != nullptr && local.find("exhibitor") == nullptr) {
    local.set("exhibitor", Tree(*exhibitor));
    local.find("zookeeper")->erase("exhibitor");
  }
  return local;
}

// Keys of section postgresql that the dynamic document cannot set.
bool is_only_local(const std::string& key) {
  const auto path = "postgresql." + key;
  if (const auto* option = find_option(path, true)) return !option->is_dynamic();
  return is_section(path, false) && !is_section(path, true);
}

// Keys that the local file cannot set, or that are merged name by name elsewhere.
bool is_not_taken_from_local(std::string_view key) {
  return key == "use_slots" || key == "parameters";
}

Tree laid_postgresql(const Tree& local, const Tree& dynamic) {
  Tree laid = Tree::map();
  const auto* shared = dynamic.find("postgresql");
  if (const auto* map = shared != nullptr ? shared->as_map() : nullptr) {
    for (const auto& [key, value] : *map) {
      if (!is_only_local(key) && key != "parameters") laid.set(key, value);
    }
  }
  const auto* own = local.find("postgresql");
  if (const auto* map = own != nullptr ? own->as_map() : nullptr) {
    for (const auto& [key, value] : *map) {
      if (!is_not_taken_from_local(key)) laid.set(key, value);
    }
  }
  return laid;
}

}  // namespace

Layers lay_together(const LocalConfig& local, const Tree& dynamic,
                    std::vector<std::string>& warnings) {
  Layers layers{local, without_legacy_shapes(local.tree), dynamic, Tree(), warnings};
  if (dynamic.is_null()) {
    const auto* first = layers.local.find_path({"bootstrap", "dcs"});
    layers.dynamic = first != nullptr ? *first : Tree();
  }
  if (!layers.dynamic.is_map()) layers.dynamic = Tree::map();
  layers.postgresql = laid_postgresql(layers.local, layers.dynamic);
  return layers;
}

}  // namespace tanist::config
