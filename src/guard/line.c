// SPDX-License-Identifier: Apache-2.0
// Appends to a fixed buffer.
#include "guard/line.h"

void guard_put(struct guard_line* line, const char* text) {
  while (*text != '\0' && line->length + 1 < GUARD_LINE_BYTES) line->text[line->length++] = *text++;
  line->text[line->length] = '\0';
}

void guard_put_number(struct guard_line* line, uint64_t number) {
  char digits[24];
  char* at = digits + sizeof digits - 1;
  *at = '\0';
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  guard_put(line, at);
}

void guard_put_duration(struct guard_line* line, uint64_t nanoseconds) {
  const uint64_t micros = nanoseconds / 1000;
  const char decimals[] = {'.', (char)('0' + micros / 100 % 10), (char)('0' + micros / 10 % 10),
                           (char)('0' + micros % 10), '\0'};
  guard_put_number(line, micros / 1000);
  guard_put(line, decimals);
  guard_put(line, " ms");
}

uint64_t guard_read_number(const char** at) {
  uint64_t number = 0;
  while (**at >= '0' && **at <= '9') number = number * 10 + (uint64_t)(*(*at)++ - '0');
  return number;
}
