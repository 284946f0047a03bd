// SPDX-License-Identifier: Apache-2.0
// `edit-config`: the cluster's dynamic configuration, by editor, file or setting (contract ctl
// 4.12).
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <iterator>

#include "base/json.h"
#include "ctl/cluster.h"
#include "ctl/config_change.h"
#include "ctl/diff.h"
#include "ctl/programs.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"
#include "os/file.h"
#include "yaml/yaml.h"

namespace tanist::ctl {

namespace {

constexpr yaml::YamlStyle style{.width = 200};

Result<Tree> parse_config(const std::string& text, const std::string& name) {
  auto document = yaml::parse_yaml(text, name);
  if (!document) return pass_on(document.error());
  if (document->tree.is_map()) return std::move(document->tree);
  return fail(Errc::invalid, "{} holds no mapping; write lines of KEY: VALUE", name);
}

// `-` is standard input.
Result<Tree> read_config(const std::string& path) {
  if (path == "-") {
    return parse_config(std::string(std::istreambuf_iterator<char>(std::cin), {}),
                        "standard input");
  }
  const auto text = os::read_file(path);
  if (!text) return pass_on(text.error());
  return parse_config(*text, path);
}

// A file that only its owner reads; the name ends with .yaml so that editors know the language.
Result<std::string> temporary_file(const std::string& cluster, const std::string& text) {
  const char* folder = std::getenv("TMPDIR");
  auto name = cluster;
  for (auto& c : name) c = c == '/' ? '_' : c;
  auto path = std::string(folder != nullptr ? folder : "/tmp") + "/" + name + "-config-XXXXXX.yaml";
  const int file = mkstemps(path.data(), 5);
  if (file < 0) return fail(Errc::failed, "{}: cannot be created; is TMPDIR right?", path);
  const auto written = write(file, text.data(), text.size());
  close(file);
  if (written == static_cast<ssize_t>(text.size())) return path;
  unlink(path.c_str());
  return fail(Errc::failed, "{}: cannot be written; is the disk full?", path);
}

Result<Tree> edited(const std::string& cluster, const Tree& before) {
  const auto path = temporary_file(cluster, yaml::to_yaml(before, style));
  if (!path) return pass_on(path.error());
  const auto done = edit_file(*path);
  if (!done) {
    unlink(path->c_str());
    return pass_on(done.error());
  }
  auto after = read_config(*path);
  // What was typed is not lost to a slip.
  if (!after)
    return fail(Errc::invalid, "{}; the text is kept in {}", after.error().message, *path);
  unlink(path->c_str());
  return after;
}

bool needs_editor(const EditConfigOptions& options) {
  return !options.replace && !options.apply && options.set.empty() && options.parameters.empty();
}

Result<Tree> changed(const std::string& cluster, const Tree& before,
                     const EditConfigOptions& options) {
  if (needs_editor(options)) return edited(cluster, before);
  Tree after = before;
  if (options.replace) {
    auto whole = read_config(*options.replace);
    if (!whole) return whole;
    after = std::move(*whole);
  }
  if (options.apply) {
    const auto patch = read_config(*options.apply);
    if (!patch) return patch;
    deep_patch(after, *patch);
  }
  for (const auto& setting : options.set) {
    const auto done = apply_setting(after, setting);
    if (!done) return pass_on(done.error());
  }
  for (const auto& parameter : options.parameters) {
    if (parameter.find('=') == std::string::npos) {
      return fail(Errc::invalid, "Invalid parameter setting {}", parameter);
    }
    const auto done = apply_setting(after, "postgresql.parameters." + parameter);
    if (!done) return pass_on(done.error());
  }
  return after;
}

Result<void> show_diff(const std::string& before, const std::string& after) {
  const auto diff = unified_diff(before, after);
  if (output_is_terminal()) return show_in_pager(coloured_diff(diff));
  print(diff);
  return {};
}

// Whether the change shall be written; tells the reason when not.
Result<bool> is_agreed(const EditConfigOptions& options) {
  if (options.force) return true;
  if (options.apply == "-" || options.replace == "-") {
    print_line("Use --force option to apply changes");
    return false;
  }
  return confirm("Apply these changes?");
}

}  // namespace

Result<void> edit_config(const ToolConfig& config, const EditConfigOptions& options) {
  const auto name = config.cluster_name(options.cluster);
  if (!name) return pass_on(name.error());
  auto cluster = Cluster::open(config, *name);
  if (!cluster) return pass_on(cluster.error());
  const auto reading = cluster->read();
  if (!reading) return pass_on(reading.error());
  const auto& stored = reading->view->config;
  if (!stored || !stored->valid) {
    return fail(Errc::not_found, "The config key does not exist in the cluster {}", *name);
  }
  const auto after = changed(*name, stored->value, options);
  if (!after) return pass_on(after.error());
  const auto before_text = yaml::to_yaml(stored->value, style);
  const auto after_text = yaml::to_yaml(*after, style);
  if (before_text == after_text) {
    if (!options.quiet) print_line("Not changed");
    return {};
  }
  if (!options.quiet) {
    const auto shown = show_diff(before_text, after_text);
    if (!shown) return shown;
  }
  const auto agreed = is_agreed(options);
  if (!agreed) return pass_on(agreed.error());
  if (!*agreed) return {};
  const auto written = cluster->commit({.expect = {{StoreKey::config, stored->revision}},
                                        .writes = {{StoreKey::config, to_json(*after)}}});
  if (!written && written.error().code == Errc::refused) {
    return fail(Errc::refused, "Config modification aborted due to concurrent changes");
  }
  if (!written) return pass_on(written.error());
  print_line("Configuration changed");
  return {};
}

}  // namespace tanist::ctl
