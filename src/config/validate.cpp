// SPDX-License-Identifier: Apache-2.0
// The walk of --validate-config through the schema.
#include "config/validate.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/format.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/validate_checks.h"
#include "yaml/yaml.h"

namespace tanist::config {

namespace {

constexpr std::string_view not_defined = "is not defined.";

std::string shown_value(const Option* option, const Tree& value) {
  if (value.is_null() || (option != nullptr && option->secret)) return "";
  if (value.is_scalar()) return text_form(value);
  const bool empty = !value.truthy();
  return value.is_map() ? (empty ? "{}" : "{...}") : (empty ? "[]" : "[...]");
}

class Validator {
 public:
  Validator(const Tree& tree, const ValidateOptions& options) : context_{tree, options} {}

  std::vector<std::string> run() {
    for (const auto& option : options()) {
      if (is_checked_in_dynamic(option)) {
        check_dynamic(option);
      } else {
        check_local(option);
      }
    }
    check_store();
    check_standby_cluster();
    check_tags();
    return std::move(lines_);
  }

 private:
  void report(std::string_view path, std::string_view value, std::string_view message) {
    lines_.push_back(format_text("{} {} {}", path, value, message));
  }

  void report_missing(const std::string& path) {
    if (missing_.insert(path).second) report(path, "", not_defined);
  }

  // The value at `path` below `root`; tells of sections on the way that are no mappings. `stop` is
  // where the path ends early.
  const Tree* look_up(const Tree& root, std::string_view path, const std::string& prefix,
                      std::string& stop) {
    const Tree* at = &root;
    for (std::size_t start = 0;;) {
      const auto dot = std::min(path.find('.', start), path.size());
      stop = prefix + std::string(path.substr(0, dot));
      const Tree* next = at->find(path.substr(start, dot - start));
      if (next == nullptr || next->is_null()) return nullptr;
      if (dot == path.size()) return next;
      if (!next->is_map()) {
        if (missing_.insert(stop).second) {
          report(stop, shown_value(nullptr, *next), "is not a dictionary");
        }
        return nullptr;
      }
      at = next;
      start = dot + 1;
    }
  }

  // Switches that may stand in both documents are checked in bootstrap.dcs only.
  static bool is_checked_in_dynamic(const Option& option) {
    return option.scope == Scope::dynamic ||
           (option.scope == Scope::both && option.kind == Kind::boolean);
  }

  // What the contract demands, beyond the schema's rows: parts of sections that exist.
  bool is_required(const Option& option) const {
    const Section top(&context_.tree);
    if (option.path == "bootstrap.dcs") return top.has("bootstrap");
    for (const auto* section : {"restapi", "ctl"}) {
      if (option.path.starts_with(format_text("{}.authentication.", section))) {
        return top.section(section).has("authentication");
      }
    }
    return option.required;
  }

  void check_local(const Option& option) {
    std::string stop;
    const auto* value = look_up(context_.tree, option.path, "", stop);
    if (value == nullptr) {
      if (option.check == Check::bin_dir && context_.tree.find("postgresql") != nullptr) {
        check(option, option.path, Tree());
      } else if (is_required(option)) {
        report_missing(stop);
      }
      return;
    }
    check(option, option.path, *value);
  }

  void check_dynamic(const Option& option) {
    const auto* document = context_.tree.find_path({"bootstrap", "dcs"});
    if (document == nullptr || !document->is_map()) return;
    std::string stop;
    const auto* value = look_up(*document, option.path, "bootstrap.dcs.", stop);
    if (value != nullptr) check(option, "bootstrap.dcs." + option.path, *value);
  }

  void check(const Option& option, const std::string& path, const Tree& value) {
    for (const auto& one : complaints_about(option, value, context_)) {
      report(one.item.empty() ? path : format_text("{}.{}", path, one.item),
             shown_value(&option, one.value), one.message);
    }
  }

  template <std::size_t N>
  void require_one(const std::string& section, const Tree& map,
                   const std::array<std::string_view, N>& names) {
    const Section content(&map);
    const auto is_there = [&](std::string_view name) { return content.has(name); };
    if (std::ranges::any_of(names, is_there)) return;
    for (const auto name : names) report(format_text("{}.{}", section, name), "", not_defined);
  }

  void check_store() {
    const auto* etcd = context_.tree.find("etcd3");
    for (const auto& section : foreign_sections()) {
      const auto* value = context_.tree.find(section.name);
      if (!section.is_store || value == nullptr || !value->truthy()) continue;
      report(section.name, "", "is not supported as store, only etcd3 is.");
    }
    if (etcd == nullptr || etcd->is_null()) return report_missing("etcd3");
    constexpr std::array<std::string_view, 6> names{"host",       "hosts", "srv",
                                                    "srv_suffix", "url",   "proxy"};
    if (etcd->is_map()) require_one("etcd3", *etcd, names);
  }

  void check_standby_cluster() {
    const auto* standby = context_.tree.find_path({"bootstrap", "dcs", "standby_cluster"});
    constexpr std::array<std::string_view, 3> names{"host", "port", "restore_command"};
    if (standby != nullptr && standby->is_map()) {
      require_one("bootstrap.dcs.standby_cluster", *standby, names);
    }
  }

  void check_tags() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 2> exclusive{
        {{"nofailover", "failover_priority"}, {"nosync", "sync_priority"}}};
    const Section tags(context_.tree.find("tags"));
    for (const auto& [word, number] : exclusive) {
      if (tags.has(word) && tags.has(number)) {
        report("tags", "", format_text("Multiple of ('{}', '{}') provided", word, number));
      }
    }
  }

  CheckContext context_;
  std::vector<std::string> lines_;
  std::set<std::string> missing_;  // paths already told of
};

}  // namespace

std::vector<std::string> validate(const LocalConfig& local, const ValidateOptions& options) {
  return Validator(local.tree, options).run();
}

std::string print_config(const LocalConfig& local) {
  Tree tree = local.tree;
  auto* postgresql = tree.find("postgresql");
  if (postgresql != nullptr && postgresql->is_map() && postgresql->find("bin_dir") == nullptr) {
    postgresql->set("bin_dir", "");
  }
  return yaml::to_yaml(tree);
}

}  // namespace tanist::config
