// SPDX-License-Identifier: Apache-2.0
// What can happen to the loop, and what it orders. The driver answers each started effect with
// exactly one EffectFinished. Values only; any thread.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "core/decision_news.h"

namespace tanist::agent {

struct TimerFired {};

struct ViewArrived {
  ClusterViewPtr view;
};

struct HealthChanged {
  StoreHealth health;
};

// A renewal waits longer than one attempt may take.
struct RenewalUnanswered {};

struct EffectFinished {
  EffectId id;
  std::variant<StoreResult, ServerResult, PeerRound> result;
};

struct PostmasterStarted {
  ProcessIdentity process;
};

struct PostmasterExited {
  ProcessIdentity process;
};

struct StopProgressed {
  StopProgress progress;
};

struct ApiRequested {
  ApiRequest request;
};

struct SettingsChanged {
  std::shared_ptr<const NodeSettings> node;
  Reload reload = Reload::none;
};

struct GuardChanged {
  GuardState state = GuardState::absent;
};

struct WatchdogChanged {
  WatchdogFacts facts;
};

struct StorageObserved {
  StorageFacts storage;
};

// How far the copy under way has come, as people read it ("45%").
struct CopyProgressed {
  std::string progress;
};

struct ShutdownRequested {};

struct ReloadRequested {};

using Event = std::variant<TimerFired, ViewArrived, HealthChanged, RenewalUnanswered,
                           EffectFinished, PostmasterStarted, PostmasterExited, StopProgressed,
                           ApiRequested, SettingsChanged, GuardChanged, WatchdogChanged,
                           StorageObserved, CopyProgressed, ShutdownRequested, ReloadRequested>;

// One thing to perform.
struct Effect {
  EffectId id;
  Task task = Task::observe;
  std::variant<StoreAction, ServerAction, AgentAction> body;
  Instant until;
};

// What a step orders. The driver carries it out in the order of the members.
struct Effects {
  std::vector<GuardOrder> guard;
  std::vector<EffectId> cancel;
  std::vector<Effect> start;
  std::vector<RunCallback> callbacks;
  std::vector<LogLine> log;
  std::shared_ptr<const DecisionRecord> news;  // for the journal; absent = no news
  std::vector<ApiReply> replies;
  Instant wake_at;                   // step again with TimerFired at this instant at the latest
  std::optional<std::int64_t> exit;  // the process ends with this code
};

}  // namespace tanist::agent
