// SPDX-License-Identifier: Apache-2.0
// Reading of the local configuration: files, environment, and what there is to say about them.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "config/config.h"
#include "config/environment.h"
#include "config/findings.h"
#include "config/schema.h"
#include "core/types.h"
#include "os/file.h"
#include "yaml/yaml.h"

namespace tanist::config {

namespace {

bool is_regular_file(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_folder(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<std::vector<std::string>> files_of(const std::string& path) {
  if (is_regular_file(path)) return std::vector{path};
  if (!is_folder(path)) {
    return fail(Errc::invalid, "invalid config path: {} is neither a file nor a folder", path);
  }
  const auto names = os::list_folder(path);
  if (!names) return pass_on(names.error(), "invalid config path");
  std::vector<std::string> files;
  for (const auto& name : *names) {
    const auto file = path + "/" + name;
    const bool is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    if (is_yaml && is_regular_file(file)) files.push_back(file);
  }
  std::ranges::sort(files);
  return files;
}

bool holds_secret(const Tree& tree) {
  return std::ranges::any_of(options(), [&](const Option& option) {
    if (!option.secret) return false;
    const Tree* at = &tree;
    for (std::string_view path = option.path; at != nullptr;) {
      const auto dot = path.find('.');
      at = at->find(path.substr(0, dot));
      if (dot == std::string_view::npos) return at != nullptr && at->truthy();
      path.remove_prefix(dot + 1);
    }
    return false;
  });
}

// Never a refusal: the agent worked with such a file before.
void check_ownership(const std::string& file, bool has_secret, std::vector<std::string>& warnings) {
  struct stat status{};
  if (stat(file.c_str(), &status) != 0) return;
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    warnings.push_back(format_text(
        "{}: belongs to user {}, who can change the configuration; chown it to root or to the "
        "agent's user",
        file, status.st_uid));
  }
  const unsigned mode = status.st_mode & 0777U;
  if ((mode & 0022U) != 0) {
    warnings.push_back(
        format_text("{}: others may write it (mode {:04o}); chmod 0600", file, mode));
  } else if (has_secret && (mode & 0044U) != 0) {
    warnings.push_back(format_text(
        "{}: others may read the passwords in it (mode {:04o}); chmod 0600", file, mode));
  }
}

class Loader {
 public:
  Result<LocalConfig> load(const std::string& path, const Environment& environment) {
    Result<void> done;
    const auto text = environment.find("PATRONI_CONFIGURATION");
    if (!path.empty() && os::exists(path)) {
      done = read_files(path);
      if (done) merge_environment(environment);
    } else if (text != environment.end() && !text->second.empty()) {
      out_.source = "PATRONI_CONFIGURATION";
      done = merge_document(text->second, out_.source);
    } else {
      out_.source = "environment";
      if (!path.empty()) {
        out_.warnings.push_back(
            format_text("{}: there is no such file; the environment counts", path));
      }
      merge_environment(environment);
    }
    if (!done) return pass_on(done.error());
    if (!out_.tree.truthy()) {
      return fail(Errc::not_found,
                  "Config is empty. Remedy: name a configuration file on the command line, or set "
                  "PATRONI_ variables");
    }
    const auto sane = check();
    if (!sane) return pass_on(sane.error());
    return std::move(out_);
  }

 private:
  Result<void> read_files(const std::string& path) {
    out_.source = path;
    const auto files = files_of(path);
    if (!files) return pass_on(files.error());
    for (const auto& file : *files) {
      const auto text = os::read_file(file, yaml::yaml_bytes_max);
      if (!text) return pass_on(text.error());
      const auto merged = merge_document(*text, file);
      if (!merged) return merged;
    }
    return {};
  }

  Result<void> merge_document(const std::string& text, const std::string& name) {
    auto document = yaml::parse_yaml(text, name);
    if (!document) return pass_on(document.error());
    if (!document->tree.is_map()) {
      return fail(Errc::invalid, "invalid config file {}: {} does not contain a dict", name, name);
    }
    if (name == out_.source || name.starts_with(out_.source + "/")) {
      check_ownership(name, holds_secret(document->tree), out_.warnings);
    }
    lay_over(std::move(document->tree));
    for (const auto& [path, line] : document->lines) {
      out_.where[path] = format_text("{}:{}", name, line);
    }
    append(out_.warnings, document->warnings);
    return {};
  }

  void merge_environment(const Environment& environment) {
    auto variables = tree_from(environment);
    lay_over(std::move(variables.tree));
    for (auto& [path, name] : variables.where) out_.where[path] = std::move(name);
    append(out_.warnings, variables.warnings);
  }

  void lay_over(Tree tree) {
    if (out_.tree.is_map()) {
      deep_patch(out_.tree, tree);
    } else {
      out_.tree = std::move(tree);
    }
  }

  static void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  Result<void> check() {
    const auto* name = out_.tree.find("name");
    if (name != nullptr && text_form(*name) == strict_sync_placeholder) {
      return fail(Errc::invalid, "{}Node 'name' can't be set to '{}'; choose another name",
                  out_.location("name"), strict_sync_placeholder);
    }
    const auto* parameters = out_.tree.find_path({"postgresql", "parameters"});
    if (parameters != nullptr && !parameters->is_map() && !parameters->is_null()) {
      return fail(Errc::invalid,
                  "{}postgresql.parameters is not a dictionary; write it as lines of NAME: VALUE",
                  out_.location("postgresql.parameters"));
    }
    for (const auto& finding : findings_in_local(out_.tree)) {
      out_.warnings.push_back(out_.location(finding.path) + finding.text);
    }
    if (const auto* users = out_.tree.find_path({"bootstrap", "users"}); users && users->truthy()) {
      out_.warnings.push_back(out_.location("bootstrap.users") +
                              "User creation is not be supported starting from v4.0.0. Please use "
                              "\"bootstrap.post_bootstrap\" script to create users.");
    }
    return {};
  }

  LocalConfig out_;
};

}  // namespace

std::string LocalConfig::location(std::string_view path) const {
  while (true) {
    const auto at = where.find(std::string(path));
    if (at != where.end()) return at->second + ": ";
    const auto dot = path.rfind('.');
    if (dot == std::string_view::npos) return {};
    path = path.substr(0, dot);
  }
}

Result<LocalConfig> load_local(const std::string& path, const Environment& environment) {
  return Loader().load(path, environment);
}

}  // namespace tanist::config
