// SPDX-License-Identifier: Apache-2.0
// The journal's place in the driver: what it is made from, who may read it, its end.
#include "agent/driver.h"
#include "base/log.h"
#include "os/clock.h"
#include "rest/server.h"
#include "store/store.h"

namespace tanist::agent {

namespace {

// Of one answer; the tool's own limit is above it (rest/client.h).
constexpr std::size_t answer_bytes_max = std::size_t{3} * 1024 * 1024;
// How long the last entries of an agent that ends may take.
constexpr Duration last_entries_max = milliseconds(500);

// Parameter `since`: a time of ISO 8601, or seconds before now. Absent = everything.
std::optional<WallTime> since_of(const Tree& parameters, WallTime now) {
  const auto* value = parameters.find("since");
  if (value == nullptr) return WallTime();
  const auto text = text_form(*value);
  if (const auto ago = to_int(Tree(text)); ago && *ago >= 0) return now - seconds(*ago);
  const auto time = parse_timestamp(text);
  return time ? std::optional(time->time) : std::nullopt;
}

}  // namespace

void Driver::make_journal() {
  digests_ = std::make_unique<DigestWriter>(
      io_.get_executor(),
      DigestWriter::Hooks{.start =
                              [this](EffectId id, StoreAction action, Instant until) {
                                if (!leaving_) store_->start(id, std::move(action), until);
                              },
                          .view = [this] { return loop_->observation().store.view; },
                          .now = os::now});
  journal_ = std::make_unique<JournalKeeper>(
      io_.get_executor(), disk_, *settings_,
      JournalKeeper::Hooks{
          .wall = os::wall_now, .now = os::now, .tell = [this](journal::Incident incident) {
            if (!leaving_) digests_->tell(std::move(incident));
          }});
}

// One reader at a time: an answer is megabytes.
void Driver::answer_journal(ApiRequest request) {
  if (leaving_) return;
  if (std::exchange(reading_journal_, true)) {
    return api_->reply({.id = request.id,
                        .status = 503,
                        .form = ApiForm::text,
                        .body = "the journal is being read for somebody else; ask again",
                        .lsn = {}});
  }
  os::start(io_.get_executor(), read_journal(std::move(request)));
}

os::Awaitable<void> Driver::read_journal(ApiRequest request) {
  ApiReply reply{.id = request.id, .status = 200, .form = ApiForm::json, .body = {}, .lsn = {}};
  const auto since = since_of(request.body, os::wall_now());
  if (!since) {
    reply.status = 400;
    reply.form = ApiForm::text;
    reply.body = "since: neither a time of ISO 8601 nor a number of seconds";
  } else {
    auto lines = co_await journal_->read(*since, answer_bytes_max);
    if (lines) {
      reply.body = std::move(*lines);
    } else {
      reply.status = 500;
      reply.form = ApiForm::text;
      reply.body = lines.error().message;
    }
  }
  reading_journal_ = false;
  api_->reply(std::move(reply));
}

// The loop has said its last word; it is written too.
void Driver::finish_journal() {
  io_.restart();
  const auto until = os::now() + last_entries_max;
  while (journal_->busy() && os::now() < until) io_.run_one_for(milliseconds(50));
}

}  // namespace tanist::agent
