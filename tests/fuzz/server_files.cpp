// SPDX-License-Identifier: Apache-2.0
// What the server's files and tools say: the first letter tells which is being read.
#include "os/proc.h"
#include "postgres/config_text.h"
#include "postgres/control_data.h"
#include "postgres/parameter_value.h"
#include "postgres/postmaster_file.h"
#include "postgres/timeline_history.h"
#include "postgres/wal_inspection.h"
#include "sql/readiness.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  const auto [which, text] = fuzz::choose(fuzz::text_of(data, size));
  switch (which) {
    case 'c': (void)postgres::parse_control_data(text); break;
    case 'p': (void)postgres::parse_postmaster_file(text); break;
    case 'h': (void)postgres::parse_history(text); break;
    case 'w':
      for (const auto& record : postgres::parse_wal_records(text)) {
        (void)record.is_shutdown_checkpoint();
        (void)record.is_segment_switch();
      }
      (void)postgres::parse_wal_reading_ends(text);
      break;
    case 'e': (void)postgres::checkpoint_end(Lsn(0x2000028), text, text); break;
    case 's': (void)postgres::segment_start(text, 16 * 1024 * 1024); break;
    case 'm':
      (void)postgres::recovery_block_of(text);
      (void)postgres::without_recovery_block(text);
      break;
    case 'a': (void)postgres::without_recovery_settings(text); break;
    case 'n': (void)postgres::parse_boolean(text); break;
    case 'r': (void)sql::read_answer(text); break;
    case 'k': (void)os::parse_process_stat(text); break;
    case 'l': (void)parse_lsn(text); break;
    case 't': (void)parse_timestamp(text); break;
    default: break;
  }
  return 0;
}
