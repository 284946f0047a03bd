// SPDX-License-Identifier: Apache-2.0
// Short texts without allocation or stdio: names below /proc, log lines, reports. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GUARD_LINE_BYTES 4096

// Always closed by a zero; what does not fit is cut off. Zero the two members before use
// (`line.length = 0; line.text[0] = 0`, or an initialiser).
struct guard_line {
  size_t length;
  char text[GUARD_LINE_BYTES];
};

void guard_put(struct guard_line* line, const char* text);
void guard_put_number(struct guard_line* line, uint64_t number);
// Nanoseconds as milliseconds with three decimals: "12.345 ms".
void guard_put_duration(struct guard_line* line, uint64_t nanoseconds);

// Reads decimal digits and moves `at` behind them; 0 when there are none. Wraps when too large.
uint64_t guard_read_number(const char** at);

#ifdef __cplusplus
}
#endif
