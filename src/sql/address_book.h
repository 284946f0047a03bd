// SPDX-License-Identifier: Apache-2.0
// Names of hosts and their addresses. Names are looked up on the disk pool and the last good
// answer is kept, so that a dead name service takes nobody's database away. Loop thread only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/deadline.h"
#include "os/disk.h"

namespace tanist::sql {

// True for "10.0.0.1" and "::1": nothing to look up.
bool is_numeric_address(const std::string& host);

class AddressBook {
 public:
  explicit AddressBook(os::DiskPool& pool) : pool_(&pool) {}

  // The addresses of `host` in the resolver's order; a numeric address is itself. When the look-up
  // fails or takes longer than a second, the last good answer. Errc::unavailable when there is
  // none.
  os::Awaitable<Result<std::vector<std::string>>> find(std::string host, os::Limit limit);

 private:
  os::DiskPool* pool_;
  std::map<std::string, std::vector<std::string>> last_good_;
};

}  // namespace tanist::sql
