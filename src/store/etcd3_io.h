// SPDX-License-Identifier: Apache-2.0
// What goes into the etcd machine and what comes out of it. Whoever steps the machine performs the
// outputs in their order and answers each SendRpc with exactly one RpcAnswered, unless it was
// cancelled. Answers to ids that the machine has forgotten are ignored. Values only; any thread.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "core/store_actions.h"
#include "store/etcd3_wire.h"

namespace tanist::store {

// Numbers one RPC or one watch stream; never used twice by a machine.
using RpcId = Strong<struct RpcIdTag, std::uint64_t>;

// ---- Inputs ----------------------------------------------------------------------------------

// Deletes every key of the cluster. For the control tool; the loop has no such action.
struct RemoveCluster {};

struct StartAction {
  EffectId id;
  std::variant<StoreAction, RemoveCluster> action;
  Instant until;  // the result comes by then, `unknown` at the latest
};

// The result follows at once, as `unknown`; what was sent may still happen.
struct CancelAction {
  EffectId id;
};

struct RpcAnswered {
  RpcId id;
  wire::RpcResult result;
};

struct WatchSaid {
  RpcId stream;
  wire::WatchMessage message;
};

// The stream is over, for whatever reason.
struct WatchEnded {
  RpcId stream;
  wire::RpcError error;
};

// `wake_at` of the last outputs has come.
struct TimerRang {};

struct NewCredentials {
  std::string user;
  Secret password;
};

// What DNS knows of the configured domain (StoreSettings::srv_domain).
struct Resolved {
  std::vector<std::string> addresses;
};

using Input = std::variant<StartAction, CancelAction, RpcAnswered, WatchSaid, WatchEnded, TimerRang,
                           NewCredentials, Resolved>;

// ---- Outputs ---------------------------------------------------------------------------------

struct SendRpc {
  RpcId id;
  std::string endpoint;  // "host:port"
  wire::Request request;
  Instant deadline;  // answered as deadline_exceeded at the latest then
  Secret token;      // empty = none
};

struct CancelRpc {
  RpcId id;
};

struct OpenWatch {
  RpcId stream;
  std::string endpoint;
  wire::WatchRequest request;
  Secret token;
};

// Has etcd say how far this watch has come.
struct AskProgress {
  RpcId stream;
};

// No WatchEnded follows.
struct CloseWatch {
  RpcId stream;
};

// Connections to any other endpoint may be closed.
struct UseEndpoints {
  std::vector<std::string> endpoints;
};

// Exactly one for each StartAction.
struct Finished {
  EffectId id;
  StoreResult result;
};

// KeepLock only, at most once: the time of the first attempt has passed without a proof. The
// effect goes on; the failsafe round begins beside it (safety 3.4).
struct Unanswered {
  EffectId id;
};

struct ViewChanged {
  ClusterViewPtr view;
};

// `warnings` holds only what was not said before.
struct HealthChanged {
  StoreHealth health;
};

using Output = std::variant<SendRpc, CancelRpc, OpenWatch, AskProgress, CloseWatch, UseEndpoints,
                            Finished, Unanswered, ViewChanged, HealthChanged>;

struct Outputs {
  std::vector<Output> list;
  Instant wake_at = Instant::max();  // TimerRang is due then; always after `now`
};

}  // namespace tanist::store
