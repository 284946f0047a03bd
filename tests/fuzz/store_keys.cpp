// SPDX-License-Identifier: Apache-2.0
// The cluster's keys as others may have written them: lines "KEY VALUE" below the cluster's prefix,
// applied one after the other; then the views that are made of them.
#include "store/cluster_cache.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  store::ClusterCache cache(store::KeyPaths("service", "demo"));
  std::int64_t revision = 1;
  for (const auto line : fuzz::split(fuzz::text_of(data, size), '\n')) {
    const auto blank = line.find(' ');
    store::KeyChange change{cache.paths().prefix() + std::string(line.substr(0, blank)),
                            Revision(++revision), std::nullopt};
    if (blank != std::string_view::npos) {
      change.value = store::StoredKey{std::string(line.substr(blank + 1)), change.revision,
                                      change.revision, LeaseId(7)};
    }
    cache.apply({change});
  }
  const auto view = cache.view();
  (void)view->optime();
  (void)view->timeline();
  if (view->status) (void)store::encode_status(*view->status);
  if (view->sync) (void)store::encode_sync(*view->sync);
  if (view->failover) (void)store::encode_failover(*view->failover);
  return 0;
}
