// SPDX-License-Identifier: Apache-2.0
// Passwords for programs that connect somewhere: in files of mode 0600 that variables name, never
// on a command line (contract postgres 13). Loop thread only.
#pragma once

#include "postgres/programs.h"

namespace tanist::postgres {

// Writes the files for `user` at `upstream` and returns the variables that name them: PGPASSFILE,
// and for the password of a TLS key, which no password file holds, a service file.
os::Awaitable<Result<Environment>> password_environment(Job job, Credentials user,
                                                        Upstream upstream);

}  // namespace tanist::postgres
