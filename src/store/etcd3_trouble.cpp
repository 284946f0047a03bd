// SPDX-License-Identifier: Apache-2.0
// The table of errors. Texts are etcd's (api/v3rpc/rpctypes, all versions from 3.4 on) and gRPC's.
#include "store/etcd3_trouble.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tanist::store {

namespace {

struct TextRow {
  std::string_view part_of_message;
  Trouble trouble;
};

// Read from the top. Messages are matched without their "etcdserver: ", since streams and older
// servers wrap them differently.
constexpr std::array<TextRow, 25> by_text{{
    {"failed to connect to all addresses", Trouble::unconnected},
    {"empty address list", Trouble::unconnected},
    {"DNS resolution failed", Trouble::unconnected},
    {"cannot read the TLS files", Trouble::unconnected},  // of our own transport
    {"no leader", Trouble::leaderless},
    {"not leader", Trouble::leaderless},
    {"not supported for learner", Trouble::leaderless},
    {"not a primary lessor", Trouble::unreachable},
    {"leader changed", Trouble::unreachable},
    {"too many requests", Trouble::busy},
    {"database space exceeded", Trouble::no_space},
    {"no space", Trouble::no_space},
    {"authentication is not enabled", Trouble::auth_off},
    {"authentication failed, invalid user ID or password", Trouble::denied},
    {"user name not found", Trouble::denied},
    {"user name is empty", Trouble::token},
    {"invalid auth token", Trouble::token},
    {"revision of auth store is old", Trouble::token},
    {"permission denied", Trouble::permission},
    {"requested lease not found", Trouble::lease_gone},
    {"request is too large", Trouble::too_large},
    {"too many operations in txn request", Trouble::malformed},
    {"duplicate key given in txn request", Trouble::malformed},
    {"key is not provided", Trouble::malformed},
    {"too large lease TTL", Trouble::malformed},
}};

Trouble by_code(wire::Code code) {
  switch (code) {
    case wire::Code::unavailable:
    case wire::Code::deadline_exceeded:
    case wire::Code::cancelled: return Trouble::unreachable;
    case wire::Code::permission_denied: return Trouble::permission;
    case wire::Code::unauthenticated: return Trouble::token;
    default: return Trouble::unclear;
  }
}

}  // namespace

Trouble sort_out(const wire::RpcError& error) {
  const auto* row = std::ranges::find_if(by_text, [&](const TextRow& candidate) {
    return error.message.find(candidate.part_of_message) != std::string::npos;
  });
  return row != by_text.end() ? row->trouble : by_code(error.code);
}

bool blames_endpoint(Trouble trouble) {
  return trouble == Trouble::unreachable || trouble == Trouble::unconnected ||
         trouble == Trouble::disowned || trouble == Trouble::leaderless;
}

bool surely_not_done(Trouble trouble) {
  return trouble != Trouble::unreachable && trouble != Trouble::disowned &&
         trouble != Trouble::unclear;
}

bool worth_repeating(Trouble trouble) {
  switch (trouble) {
    case Trouble::unreachable:
    case Trouble::unconnected:
    case Trouble::disowned:
    case Trouble::leaderless:
    case Trouble::busy:
    case Trouble::no_space:
    case Trouble::unclear: return true;
    default: return false;
  }
}

}  // namespace tanist::store
