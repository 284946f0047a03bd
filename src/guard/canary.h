// SPDX-License-Identifier: Apache-2.0
// The storage canary (safety 5.3): writes and syncs a block in the data directory and in the folder
// of the WAL, and tells how long that took. Whoever reads its lines notices when none comes. A
// process of its own: a disk that hangs takes nobody else with it.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Until it is ended, or nobody reads standard error any more. Each round has one line of each
// folder there:
//   data 1234     microseconds of write and fsync
//   data full     less is free than one segment of WAL needs
//   data error N  errno
//   data idle     no server's data is there
//   wal idle      the WAL lies in the file system of the data; told once
// The files are global/pgsql_tmp_canary and pg_wal/pgsql_tmp_canary: base backup and pg_rewind
// leave out what begins like that.
int guard_canary(const char* data_directory, unsigned interval_seconds, uint64_t (*now)(void));

#ifdef __cplusplus
}
#endif
