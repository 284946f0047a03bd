// SPDX-License-Identifier: Apache-2.0
// One request to etcd until its outcome: choice of the endpoint, attempts and pauses, a valid
// token, and no belief in stale answers (contract dcs 6.4; traps 8, 10, 154, 156 and 158). Never
// calls back: outcomes are fetched. Pure; owned by one machine.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "store/etcd3_endpoints.h"
#include "store/etcd3_io.h"
#include "store/etcd3_tokens.h"
#include "store/etcd3_trouble.h"

namespace tanist::store {

// One step of the machine: its time, and what comes out of it.
struct Step {
  Instant now;
  std::vector<Output> out;
  std::vector<std::string> warnings;

  void say(Output output) { out.push_back(std::move(output)); }
  void warn(std::string text) { warnings.push_back(std::move(text)); }
};

using CallId = Strong<struct CallIdTag, std::uint64_t>;

// Whose call it is.
struct Owner {
  enum class Part { action, view, upkeep, tokens };
  Part part = Part::action;
  EffectId effect;  // of an action

  friend auto operator<=>(const Owner&, const Owner&) = default;
};

enum class Repeat {
  while_time_lasts,  // reading and renewing: on, endpoint after endpoint, until `until`
  until_sent,        // a write: again only while it has certainly not been done (trap 156)
  never,
};

struct Call {
  wire::Request request;
  Instant until;
  Repeat repeat = Repeat::while_time_lasts;
  std::string endpoint;  // empty = the best one
};

struct Outcome {
  CallId id;
  Owner owner;
  tl::expected<wire::Answer, Failure> result;
  std::string endpoint;  // that answered, or was asked last
  Instant sent_at;       // of the attempt that ended

  // Null when the call failed.
  template <class A>
  const A* answer() const {
    return result ? std::get_if<A>(&*result) : nullptr;
  }
};

class Calls {
 public:
  Calls(Endpoints endpoints, Tokens tokens, std::uint64_t seed);

  CallId begin(Step& step, Owner owner, Call call);
  // Its outcome is not wanted any more.
  void drop(Step& step, CallId id);
  void drop_all(Step& step, Owner owner);

  void answered(Step& step, RpcAnswered answer);
  void tick(Step& step);
  std::optional<Outcome> next_outcome();
  Instant wake_at() const;

  // Also for headers of watch messages: false = not to be believed; its endpoint is blamed.
  // `floor` as for Allegiance.
  bool believe(Step& step, const wire::Header& header, const std::string& endpoint,
               Revision floor = Revision(0));
  // The highest revision of the store that any answer showed.
  Revision heard() const { return heard_; }
  // Once after the etcd cluster was replaced by another.
  bool take_replaced() { return std::exchange(replaced_, false); }
  // Once after every known endpoint has failed in one round.
  bool take_all_failed() { return std::exchange(all_failed_, false); }

  // What the last failure said, until anything succeeds; empty = all is well.
  const std::string& last_trouble() const { return last_trouble_; }

  RpcId next_rpc_id() { return RpcId(++last_rpc_); }
  Endpoints& endpoints() { return endpoints_; }
  Tokens& tokens() { return tokens_; }
  void replace_credentials(Step& step, std::string user, Secret password);

  // How long one attempt of a renewal may take (safety 1.5): min(500 ms, ttl / 6).
  Duration attempt_time() const;
  void set_ttl(seconds ttl) { ttl_ = std::max(ttl, seconds(1)); }
  seconds ttl() const { return ttl_; }
  // Between `duration` and one and a half of it.
  Duration spread(Duration duration);

 private:
  enum class Stage { sent, waiting_for_token, pausing };
  struct Pending {
    Owner owner;
    Call call;
    Stage stage = Stage::pausing;
    Instant due;  // of the stage
    RpcId rpc;
    std::string endpoint;
    Instant sent_at;
    Revision heard;  // when it was sent
    std::uint64_t token_used = 0;
    int token_renewals = 0;
    std::vector<std::string> tried;  // in this round
    int rounds = 0;
    Failure last{Trouble::unreachable, "etcd was not asked: no time was left"};
  };

  void send(Step& step, CallId id, Pending& pending);
  Duration patience(const Pending& pending, Instant now) const;
  void pause(Step& step, Pending& pending);
  void ask_for_token(Step& step);
  void token_outcome(Step& step, const Outcome& outcome);
  void resume_waiting(Step& step);
  void fail_waiting(Step& step, const std::string& detail);
  void renew_token(Step& step, CallId id, Pending& pending, Failure failure);
  void failed(Step& step, CallId id, Failure failure);
  void finish(Step& step, CallId id, tl::expected<wire::Answer, Failure> result);
  void overdue(Step& step, CallId id);

  Endpoints endpoints_;
  Tokens tokens_;
  Allegiance allegiance_;
  std::mt19937_64 random_;
  seconds ttl_{30};
  Revision heard_;
  bool replaced_ = false;
  bool all_failed_ = false;
  std::string last_trouble_;
  std::uint64_t last_rpc_ = 0;
  std::uint64_t last_call_ = 0;
  std::map<CallId, Pending> pending_;
  std::map<RpcId, CallId> sent_;
  std::optional<CallId> token_call_;
  std::deque<Outcome> outcomes_;
};

}  // namespace tanist::store
