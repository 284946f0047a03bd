// SPDX-License-Identifier: Apache-2.0
// Checks by kind and by row.
#include "config/validate_checks.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/format.h"
#include "config/address.h"
#include "config/probe.h"
#include "config/section.h"
#include "core/cluster_settings.h"
#include "os/file.h"

namespace tanist::config {

namespace {

using Complaints = std::vector<Complaint>;

Complaints complaint(const Tree& value, std::string message) {
  return {Complaint{"", value, std::move(message)}};
}

Complaints failed(const Tree& value, std::string_view why) {
  return complaint(value, format_text("didn't pass validation: {}", why));
}

bool has_word(std::string_view words, std::string_view word) {
  return !word.empty() &&
         (" " + std::string(words) + " ").find(format_text(" {} ", word)) != std::string::npos;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// ---- Types ---------------------------------------------------------------------------------

Complaints check_texts(const Tree& value, bool maps_too) {
  const auto* list = value.as_list();
  if (list == nullptr) return complaint(value, "is not a list");
  if (list->empty()) return complaint(value, "is an empty list");
  Complaints out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = (*list)[i];
    if (item.as_string() != nullptr || (maps_too && item.is_map())) continue;
    out.push_back({std::to_string(i), item, "is not a string"});
  }
  return out;
}

Complaints check_type(const Option& option, const Tree& value) {
  const auto unless = [&](bool good, std::string_view what) {
    return good ? Complaints() : complaint(value, format_text("is not {}", what));
  };
  switch (option.kind) {
    case Kind::text: return unless(value.as_string() != nullptr, "a string");
    case Kind::integer: return unless(value.as_int() != nullptr, "an integer");
    case Kind::boolean: return unless(value.as_bool() != nullptr, "a boolean");
    case Kind::map: return unless(value.is_map(), "a dictionary");
    case Kind::program_options: return unless(value.is_list(), "an array");
    case Kind::texts: return check_texts(value, false);
    case Kind::texts_or_string:
    case Kind::quantity:
    case Kind::any: return {};
  }
  return {};
}

// Values of the dynamic document may be numeric texts; those of the file must be numbers.
Complaints check_bounds(const Option& option, const Tree& value) {
  std::optional<std::int64_t> number;
  if (option.kind == Kind::quantity) {
    number = int_with_unit(value, option.path.starts_with("maximum_lag") ? "B" : "s");
  } else if (option.scope == Scope::dynamic) {
    number = to_int(value);
  } else if (value.as_int() == nullptr) {
    return complaint(value, "is not an integer");
  } else {
    number = *value.as_int();
  }
  const bool low = number && option.min != no_bound && *number < option.min;
  const bool high = number && option.max != no_bound && *number > option.max;
  return !number || low || high ? failed(value, "Wrong value") : Complaints();
}

Complaints check_choice(const Option& option, const Tree& value, bool any_case) {
  auto word = text_form(value);
  auto words = std::string(option.choices);
  if (value.as_bool() != nullptr && !*value.as_bool()) word = "off";  // YAML's `off`
  if (any_case) {
    word = lower(word);
    words = lower(words);
  }
  return has_word(words, word) ? Complaints() : failed(value, "Wrong value");
}

Complaints check_log_format(const Tree& value) {
  if (value.as_string() != nullptr) return {};
  const auto* list = value.as_list();
  if (list == nullptr) return failed(value, "Should be a string or a list");
  if (list->empty()) return failed(value, "should contain at least one item");
  const auto is_field = [](const Tree& item) {
    if (item.as_string() != nullptr) return true;
    const auto* map = item.as_map();
    return map != nullptr && std::ranges::all_of(*map, [](const Tree::Entry& entry) {
             return entry.second.as_string() != nullptr;
           });
  };
  if (std::ranges::all_of(*list, is_field)) return {};
  return failed(value, "each item should be a string or a dictionary with string values");
}

Complaints check_stack_size(const Option& option, const Tree& value) {
  if (value.as_int() == nullptr) return complaint(value, "is not an integer");
  const bool good = *value.as_int() >= option.min && *value.as_int() % 65535 == 0;
  return good ? Complaints() : failed(value, "Wrong value");
}

Complaints check_synchronous_mode(const Tree& value) {
  const bool good = to_bool(value) || lower(text_form(value)) == "quorum";
  return good ? Complaints() : failed(value, "invalid value for synchronous_mode");
}

// ---- Addresses -----------------------------------------------------------------------------

constexpr std::string_view wrong_address = "contains a wrong value";
constexpr std::array<std::string_view, 5> addresses_of_this_host{"127.0.0.1", "0.0.0.0", "*", "::1",
                                                                 "localhost"};

bool is_answered(const CheckContext& context, const HostPort& address) {
  if (context.options.answers) return context.options.answers(address);
  return answers(address, seconds(1));
}

Complaints check_remote_address(const Tree& value) {
  if (value.as_string() == nullptr) return complaint(value, "is not a string");
  const auto address = parse_host_port(*value.as_string());
  if (!address) return failed(value, wrong_address);
  if (std::ranges::find(addresses_of_this_host, address->host) == addresses_of_this_host.end()) {
    return {};
  }
  return failed(value,
                "must not contain \"127.0.0.1\", \"0.0.0.0\", \"*\", \"::1\", \"localhost\"");
}

Complaints check_listen(const Option& option, const Tree& value, const CheckContext& context) {
  if (value.as_string() == nullptr) return complaint(value, "is not a string");
  const bool of_server = option.check == Check::listen_postgres;
  const auto listen = parse_listen(*value.as_string(), of_server ? 5432 : 0);
  if (!listen || (!of_server && listen->hosts.size() != 1)) return failed(value, wrong_address);
  const bool star = std::ranges::find(listen->hosts, "*") != listen->hosts.end();
  if (star && listen->hosts.size() > 1) return failed(value, "expecting '*' alone");
  if (context.options.ignore_listen_port) return {};
  for (const auto& host : listen->hosts) {
    if (is_answered(context, {host, listen->port})) {
      return failed(value, format_text("Port {} is already in use.", listen->port));
    }
  }
  return {};
}

Complaints check_endpoint(const std::string& item, const Tree& value, const CheckContext& context) {
  const auto* text = value.as_string();
  if (text == nullptr) return {{item, value, "is not a string"}};
  Complaints out;
  for (const auto& one : split_commas(*text)) {
    const auto address = parse_host_port(one, 2379);
    if (!address) {
      out.push_back({item, value, format_text("didn't pass validation: {}", wrong_address)});
    } else if (!is_answered(context, *address)) {
      out.push_back({item, value, format_text("didn't pass validation: {} is not reachable", one)});
    }
  }
  return out;
}

Complaints check_reachable(const Tree& value, const CheckContext& context) {
  const auto* list = value.as_list();
  if (list == nullptr) return check_endpoint("", value, context);
  if (list->empty()) return complaint(value, "is an empty list");
  Complaints out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    for (auto& one : check_endpoint(std::to_string(i), (*list)[i], context)) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

// ---- Programs and the data directory -------------------------------------------------------

constexpr std::array<std::string_view, 6> needed_programs{
    "pg_ctl", "initdb", "pg_controldata", "pg_basebackup", "postgres", "pg_isready"};

Section postgresql_of(const CheckContext& context) {
  return Section(context.tree.find("postgresql"));
}

std::string folder_name(const std::string& bin_dir) { return bin_dir.empty() ? "$PATH" : bin_dir; }

bool is_folder(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Complaints check_bin_dir(const Tree& value, const CheckContext& context) {
  if (!value.is_null() && value.as_string() == nullptr) return complaint(value, "is not a string");
  const auto bin_dir = value.is_null() ? std::string() : *value.as_string();
  if (!bin_dir.empty() && !os::exists(bin_dir)) {
    return complaint(value, format_text("Directory '{}' does not exist.", bin_dir));
  }
  if (!bin_dir.empty() && !is_folder(bin_dir)) {
    return complaint(value, format_text("'{}' is not a directory.", bin_dir));
  }
  Complaints out;
  const auto renamed = postgresql_of(context).section("bin_name");
  for (const auto program : needed_programs) {
    if (renamed.has(program) || !find_program(std::string(program), bin_dir).empty()) continue;
    out.push_back(
        {"", value, format_text("does not contain '{}' in '{}'", program, folder_name(bin_dir))});
  }
  return out;
}

Complaints check_program(const Tree& value, const CheckContext& context) {
  if (value.as_string() == nullptr) return complaint(value, "is not a string");
  const auto bin_dir = postgresql_of(context).text("bin_dir");
  if (!find_program(*value.as_string(), bin_dir).empty()) return {};
  return failed(value, format_text("does not contain '{}' in '{}'", *value.as_string(),
                                   folder_name(bin_dir)));
}

std::string version_of_folder(const std::string& data_dir) {
  const auto text = os::read_file(data_dir + "/PG_VERSION", 64);
  return text ? text->substr(0, text->find_first_of(" \n")) : "";
}

Complaints check_version(const Tree& value, const std::string& data_dir,
                         const CheckContext& context) {
  const auto postgresql = postgresql_of(context);
  const auto program = find_program(postgresql.section("bin_name").text("postgres", "postgres"),
                                    postgresql.text("bin_dir"));
  if (program.empty()) return {};  // bin_dir tells
  const auto text = context.options.version_text ? context.options.version_text(program)
                                                 : version_text(program, seconds(5));
  const auto version = text ? major_version_in(*text) : pass_on(text.error());
  const auto of_folder = major_version_in(version_of_folder(data_dir));
  if (!version || !of_folder || *version == *of_folder) return {};
  const auto shown = [](int major) {
    return major > 100 ? format_text("{}.{}", major / 100, major % 100) : std::to_string(major);
  };
  return failed(value, format_text("data_dir directory postgresql version ({}) doesn't match with "
                                   "'postgres --version' output ({})",
                                   shown(*of_folder), shown(*version)));
}

Complaints check_data_dir(const Tree& value, const CheckContext& context) {
  if (value.as_string() == nullptr) return complaint(value, "is not a string");
  const auto& data_dir = *value.as_string();
  if (data_dir.empty()) return failed(value, "is an empty string");
  if (!os::exists(data_dir)) return {};
  if (!is_folder(data_dir)) return failed(value, "is not a directory");
  const auto names = os::list_folder(data_dir);
  if (!names || names->empty()) return {};
  if (!os::exists(data_dir + "/global/pg_control") || version_of_folder(data_dir).empty()) {
    return failed(value, "doesn't look like a valid data directory");
  }
  if (!is_folder(data_dir + "/pg_wal") && !is_folder(data_dir + "/pg_xlog")) {
    return failed(
        value, "data dir for the cluster is not empty, but doesn't contain \"pg_wal\" directory");
  }
  return check_version(value, data_dir, context);
}

}  // namespace

Complaints complaints_about(const Option& option, const Tree& value, const CheckContext& context) {
  switch (option.check) {
    case Check::none: return {};
    case Check::type: return check_type(option, value);
    case Check::bounds: return check_bounds(option, value);
    case Check::choice: return check_choice(option, value, false);
    case Check::choice_any_case: return check_choice(option, value, true);
    case Check::listen_rest:
    case Check::listen_postgres: return check_listen(option, value, context);
    case Check::remote_address: return check_remote_address(value);
    case Check::stack_size: return check_stack_size(option, value);
    case Check::log_format: return check_log_format(value);
    case Check::filled_texts: return check_texts(value, false);
    case Check::plain_list: return check_texts(value, true);
    case Check::synchronous_mode: return check_synchronous_mode(value);
    case Check::data_dir: return check_data_dir(value, context);
    case Check::bin_dir: return check_bin_dir(value, context);
    case Check::program: return check_program(value, context);
    case Check::reachable: return check_reachable(value, context);
  }
  return {};
}

}  // namespace tanist::config
