// SPDX-License-Identifier: Apache-2.0
// Between our plain values and the bytes of etcd's protocol. What etcd sends may be anything:
// bytes that are no such message are an error, never a crash. Pure; any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "store/etcd3_wire.h"

namespace tanist::store {

// The gRPC method that takes this request, such as "/etcdserverpb.KV/Range".
std::string method_of(const wire::Request& request);
inline constexpr const char* watch_method = "/etcdserverpb.Watch/Watch";

std::string encode(const wire::Request& request);
std::string encode_watch(const wire::WatchRequest& request);
std::string encode_progress_request();

// Errc::invalid when `bytes` are no answer to such a request.
Result<wire::Answer> decode_answer(const wire::Request& request, const std::string& bytes);
Result<wire::WatchMessage> decode_watch(const std::string& bytes);

}  // namespace tanist::store
