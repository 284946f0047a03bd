// SPDX-License-Identifier: Apache-2.0
// The options: one row each (contract config 4 to 6). Environment variables, warnings about keys
// and types, --validate-config and docs/reference/config.md all derive from this table. To add an
// option, add its row to schema_table.cpp. Values only; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace tanist::config {

enum class Kind {
  text,
  integer,   // a number without unit
  quantity,  // a number, perhaps with a unit ("5min")
  boolean,
  texts,            // a list of texts
  texts_or_string,  // the same, or one text with commas
  program_options,  // a list or map of a program's options
  map,              // free keys
  any,
};

// Where an option counts. In the other places it is ignored.
enum class Scope {
  local,      // file and environment
  dynamic,    // the store's document, and bootstrap.dcs as its first content
  both,       // the local value hides the dynamic one
  bootstrap,  // section `bootstrap` of the file, while a new cluster is made
};

// When a changed value takes effect.
enum class Applies { reload, agent_start, server_restart, bootstrap };

// What --validate-config looks at, beyond presence (contract config 10).
enum class Check {
  none,
  type,             // the YAML type of the kind
  bounds,           // ... and the range
  choice,           // one of the words
  choice_any_case,  // ... in any case
  listen_rest,      // host:port where nothing answers yet
  listen_postgres,  // host[,host...]:port, the same
  remote_address,   // host:port that other machines can reach
  stack_size,
  log_format,
  filled_texts,  // a list of texts with at least one
  plain_list,    // a list of texts and maps, no map
  synchronous_mode,
  data_dir,
  bin_dir,
  program,
  reachable,  // host:port, or several, that must answer
};

inline constexpr std::int64_t no_bound = std::numeric_limits<std::int64_t>::min();

struct Option {
  std::string path;  // dotted; of dynamic options the path within the document
  Kind kind = Kind::text;
  Scope scope = Scope::local;
  Applies applies = Applies::reload;
  std::string fallback;  // as the reference shows it; empty = none
  std::string env;       // full name of the variable; empty = none
  Check check = Check::none;
  std::int64_t min = no_bound;
  std::int64_t max = no_bound;
  std::string_view choices;  // words parted by blanks
  bool required = false;     // by --validate-config
  bool secret = false;       // never shown
  bool legacy = false;       // old name or shape
  bool ours = false;         // tanist's own, unknown to Patroni
  std::string_view help;

  bool is_local() const { return scope != Scope::dynamic; }
  bool is_dynamic() const { return scope == Scope::dynamic || scope == Scope::both; }
};

// All options in the order of the reference, placeholders of the table expanded.
const std::vector<Option>& options();

// By exact path; null when there is none. Where a path has a local and a dynamic row, `dynamic`
// chooses.
const Option* find_option(std::string_view path, bool dynamic = false);

// True when some option's path lies below `path`.
bool is_section(std::string_view path, bool dynamic = false);

// The names of options and sections directly below `path` ("" = the top).
std::vector<std::string> names_below(std::string_view path, bool dynamic);

// A section that Patroni knows and tanist does not support.
struct ForeignSection {
  std::string_view name;
  bool is_store = true;
  std::string_view what;
};
const std::vector<ForeignSection>& foreign_sections();

}  // namespace tanist::config
