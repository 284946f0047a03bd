// SPDX-License-Identifier: Apache-2.0
// What an error of etcd or gRPC means for us: each is sorted into "surely not done", "nobody
// knows" or "no" (traps 6 and 158). What is not recognised is never taken for a refusal. Pure.
#pragma once

#include <string>

#include "store/etcd3_wire.h"

namespace tanist::store {

enum class Trouble {
  unreachable,  // no answer, connection lost, server stopping: a write may have been done
  unconnected,  // never sent: the connection could not be made
  disowned,     // the answer is not that of the etcd that we know: nobody knows
  leaderless,   // this member knows no leader, is a learner, or lags behind the cluster
  busy,         // too many requests
  no_space,     // NOSPACE alarm: nothing can be written (trap 159)
  token,        // authentication token missing, expired or outdated
  permission,   // permission missing, perhaps only for want of a token of today
  auth_off,     // authentication is not enabled in the cluster
  denied,       // wrong password; or one of the two above again with a fresh token
  lease_gone,   // requested lease not found
  too_large,    // request above etcd's limit (trap 163)
  malformed,    // etcd cannot do this at all
  unclear,      // anything else: nobody knows
};

// Why a call brought nothing, for branching and for people ("etcd at HOST: TEXT").
struct Failure {
  Trouble trouble = Trouble::unclear;
  std::string detail;

  friend bool operator==(const Failure&, const Failure&) = default;
};

Trouble sort_out(const wire::RpcError& error);

// The endpoint itself is to be avoided for now.
bool blames_endpoint(Trouble trouble);
// A write that met this has certainly not been done, and never will be.
bool surely_not_done(Trouble trouble);
// Asking again, here or elsewhere, may help.
bool worth_repeating(Trouble trouble);

}  // namespace tanist::store
