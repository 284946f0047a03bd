// SPDX-License-Identifier: Apache-2.0
// Watch streams: each revision in one message, in order, late if the link is.
#include "sim/etcd_stream.h"

#include <algorithm>
#include <utility>

namespace tanist::sim {

EtcdMembers::StreamPtr EtcdMembers::open(Host from, const store::OpenWatch& watch, Tell tell) {
  auto stream = std::make_shared<Stream>();
  stream->from = from;
  stream->member = std::stoi(watch.endpoint.substr(1, watch.endpoint.find(':') - 1)) - 1;
  stream->id = watch.stream;
  stream->key = watch.request.key;
  stream->range_end = watch.request.range_end;
  stream->next = watch.request.start_revision;
  stream->tell = std::move(tell);
  std::erase_if(streams_, [](const auto& weak) { return weak.expired(); });
  streams_.push_back(stream);
  network_.send(from, host(stream->member), [this, stream] {
    if (stream->over) return;
    if (!up(stream->member)) return end(stream, "connection refused");
    if (members_[static_cast<std::size_t>(stream->member)].hangs) return;
    stream->serving = true;
    if (stream->next == Revision(0)) stream->next = Revision(state_.revision().value() + 1);
    say(stream, {.header = state_.header(), .created = true});
    if (stream->next < state_.compacted()) {
      wire::WatchMessage message{.header = state_.header(), .cancelled = true};
      message.compact_revision = state_.compacted();
      message.cancel_reason = "etcdserver: mvcc: required revision has been compacted";
      say(stream, std::move(message));
      stream->over = true;
      return;
    }
    show(stream);
  });
  return stream;
}

void EtcdMembers::ask_progress(const StreamPtr& stream) {
  network_.send(stream->from, host(stream->member), [this, stream] {
    if (stream->over) return;
    if (!stream->serving || !can_serve(stream->member)) {
      is_behind_ = true;
      return;
    }
    show(stream);
    say(stream, {.header = state_.header()});
  });
}

void EtcdMembers::close(const StreamPtr& stream) { stream->over = true; }

void EtcdMembers::show_all() {
  const bool news = std::exchange(shown_, state_.revision()) != state_.revision();
  if (!news && !is_behind_) return;
  is_behind_ = false;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (const auto stream = streams_[i].lock()) show(stream);
  }
}

void EtcdMembers::show(const StreamPtr& stream) {
  if (stream->next > state_.revision()) return;
  if (stream->over) return;
  if (!stream->serving || !can_serve(stream->member)) {
    is_behind_ = true;
    return;
  }
  const auto& events = state_.events();
  auto at = std::ranges::lower_bound(events, stream->next, {},
                                     [](const auto& event) { return event.kv.mod_revision; });
  while (at != events.end()) {
    wire::WatchMessage message{.header = state_.header()};
    const auto revision = at->kv.mod_revision;
    message.header.revision = revision;
    for (; at != events.end() && at->kv.mod_revision == revision; ++at) {
      if (stream->watches(at->kv.key)) message.events.push_back(*at);
    }
    if (!message.events.empty()) say(stream, std::move(message));
  }
  stream->next = Revision(state_.revision().value() + 1);
}

// Over a connection: what is lost is sent again, what is cut off waits.
void EtcdMembers::say(const StreamPtr& stream, wire::WatchMessage message) {
  const auto at = host(stream->member);
  auto delay = network_.delay(at, stream->from);
  while (network_.loses(at, stream->from)) delay += milliseconds(200);
  stream->last_arrival = std::max(stream->last_arrival, world_.now() + delay);
  stream->unheard.push_back(std::move(message));
  world_.at(stream->last_arrival, [this, stream] { deliver(stream); });
}

// The oldest message that has not arrived yet.
void EtcdMembers::deliver(const StreamPtr& stream) {
  if (stream->unheard.empty()) return;
  if (network_.is_cut(host(stream->member), stream->from)) {
    world_.after(milliseconds(300), [this, stream] { deliver(stream); });
    return;
  }
  auto message = std::move(stream->unheard.front());
  stream->unheard.pop_front();
  stream->tell(store::WatchSaid{stream->id, std::move(message)});
}

void EtcdMembers::end(const StreamPtr& stream, std::string why) {
  if (std::exchange(stream->over, true)) return;
  stream->unheard.clear();
  network_.send(host(stream->member), stream->from, [stream, why = std::move(why)] {
    stream->tell(store::WatchEnded{stream->id, {wire::Code::unavailable, why}});
  });
}

}  // namespace tanist::sim
