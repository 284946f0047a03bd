// SPDX-License-Identifier: Apache-2.0
// Attempts at the key of digests.
#include "agent/digest_writer.h"

#include "base/log.h"
#include "journal/digest.h"

namespace tanist::agent {

namespace {

// Nobody's effects, like callbacks: their numbers lie beyond those of the loop.
constexpr std::uint64_t first_digest = std::uint64_t{1} << 61;
constexpr int attempts_max = 5;
constexpr Duration attempt_limit = seconds(5);
constexpr Duration attempt_pause = milliseconds(500);

}  // namespace

void DigestWriter::tell(journal::Incident incident) {
  untold_ = std::move(incident);
  attempts_left_ = attempts_max;
  if (!running_) write();
}

void DigestWriter::write() {
  const auto view = hooks_.view();
  if (!untold_ || !view) return;
  --attempts_left_;
  const auto& digests = view->digests;
  Commit commit;
  commit.expect = {{StoreKey::digests, digests ? digests->revision : Revision(0)}};
  commit.writes = {{StoreKey::digests,
                    journal::with_digest(digests ? *digests->value : Tree(), *untold_), false}};
  running_ = EffectId(first_digest + ++last_id_);
  hooks_.start(*running_, StoreAction(std::move(commit)), hooks_.now() + attempt_limit);
}

void DigestWriter::write_later() {
  timer_.expires_at(os::Timer::time_point(hooks_.now() + attempt_pause));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !running_) write();
  });
}

bool DigestWriter::finished(EffectId id, const StoreResult& result) {
  if (running_ != id) return false;
  running_.reset();
  if (result.verdict == StoreVerdict::done) {
    untold_.reset();
  } else if (attempts_left_ > 0) {
    write_later();
  } else {
    log_info("the digest of the change of leadership was not written: {}", result.detail);
    untold_.reset();
  }
  return true;
}

}  // namespace tanist::agent
