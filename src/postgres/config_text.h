// SPDX-License-Identifier: Apache-2.0
// The text of the files that the agent writes for the server (contract postgres 6, config 8).
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postgres/recovery_settings.h"

namespace tanist::postgres {

// "name = 'value'": quotes and backslashes doubled, line breaks as \n.
std::string setting_line(std::string_view name, std::string_view value);

struct MainFile {
  std::string included;  // of the include line
  Values parameters;
  std::string hba_file;    // written unless `parameters` names one
  std::string ident_file;  // the same
  Values recovery;         // empty = no such block
};

std::string main_file_text(const MainFile& file);

// The recovery block of a main file that was written earlier, header line included; empty when it
// has none. For rewriting a file without touching what a running standby follows.
std::string recovery_block_of(std::string_view main_file);
std::string without_recovery_block(std::string_view main_file);

// pg_hba.conf and pg_ident.conf: header, then the lines as they are.
std::string lines_file_text(const std::vector<std::string>& lines);

// The trust lines of a custom bootstrap (contract postgres 7.2). `local_addresses`: numeric ones.
std::vector<std::string> bootstrap_hba_lines(const ServerSettings& settings,
                                             const std::vector<std::string>& local_addresses);

// postgresql.auto.conf without recovery settings; comments and other lines stay as they are.
std::string without_recovery_settings(std::string_view auto_conf);

}  // namespace tanist::postgres
