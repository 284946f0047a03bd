// SPDX-License-Identifier: Apache-2.0
// Puts digests of leadership changes into the store's key `tanist/digests`: compare-and-swap, tried
// again a few times when another node wrote meanwhile. Nothing waits for it and no decision reads
// it. Loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <optional>

#include "core/store_actions.h"
#include "journal/incident.h"
#include "os/deadline.h"

namespace tanist::agent {

class DigestWriter {
 public:
  struct Hooks {
    std::function<void(EffectId, StoreAction, Instant until)> start;
    std::function<ClusterViewPtr()> view;  // may give null
    std::function<Instant()> now;
  };

  DigestWriter(const boost::asio::any_io_executor& executor, Hooks hooks)
      : hooks_(std::move(hooks)), timer_(executor) {}

  // A later digest takes the place of one that is not written yet.
  void tell(journal::Incident incident);
  // True when the effect was this writer's.
  bool finished(EffectId id, const StoreResult& result);

 private:
  void write();
  void write_later();

  Hooks hooks_;
  os::Timer timer_;
  std::optional<journal::Incident> untold_;
  std::optional<EffectId> running_;
  std::uint64_t last_id_ = 0;
  int attempts_left_ = 0;
};

}  // namespace tanist::agent
