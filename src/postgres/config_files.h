// SPDX-License-Identifier: Apache-2.0
// Writing the server's files for a goal, and keeping copies of them (contract postgres 6). What is
// to be written is prepared first; a file whose text is the same stays untouched. Loop thread only.
#pragma once

#include <optional>
#include <string>

#include "postgres/config_text.h"
#include "postgres/local_server.h"
#include "postgres/parameters.h"

namespace tanist::postgres {

// All that a start or a reload writes.
struct PreparedFiles {
  EffectiveParameters parameters;
  Values recovery;
  std::string main;
  // Promotion: the standby's recovery block stays until it is a primary.
  bool keep_recovery_block = false;
  // A custom method's own recovery settings stay, also in postgresql.auto.conf.
  bool keep_auto_conf = false;
  std::optional<std::string> hba;    // absent = not managed
  std::optional<std::string> ident;  // absent = not managed
  // Credentials for primary_conninfo; absent = no password file is needed.
  std::optional<Upstream> password_for;
};

// `major_version`: of the data directory. Warnings are in `parameters`, not yet logged.
os::Awaitable<Result<PreparedFiles>> prepare_files(Job job, ServerGoal goal,
                                                   std::int64_t major_version);

// Writes them; true when any file changed. Also creates the folders that the settings name.
os::Awaitable<Result<bool>> write_files(Job job, PreparedFiles files);

// Do the files on the disk hold what was prepared, and since when? Blocking.
struct FilesOnDisk {
  bool as_prepared = true;
  WallTime modified_at;  // the newest of them
};
FilesOnDisk compare_files(const PreparedFiles& files, const Paths& paths);

// Copies to DATADIR/FILE.backup, and back where a file is missing (contract postgres 6.6).
// Blocking.
Result<void> save_config_backups(const Paths& paths);
Result<void> restore_config_files(const Paths& paths);

// The password file for `user` at host and port; nothing without a password. Blocking.
Result<void> write_password_for(const ServerSettings& settings, const Credentials& user,
                                const Upstream& upstream);

}  // namespace tanist::postgres
