// SPDX-License-Identifier: Apache-2.0
// etcd's answers as bytes: the first byte tells the request that is answered.
#include "store/etcd3_messages.h"

#include "tests/fuzz/fuzz.h"

namespace {

using tanist::store::wire::Request;

template <std::size_t... Index>
Request request_of(std::size_t which, std::index_sequence<Index...>) {
  Request request;
  ((Index == which ? void(request.emplace<Index>()) : void()), ...);
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tanist;
  constexpr auto kinds = std::variant_size_v<Request>;
  const auto [which, bytes] = fuzz::choose(fuzz::text_of(data, size));
  if (which % (kinds + 1) == kinds) {
    (void)store::decode_watch(std::string(bytes));
    return 0;
  }
  const auto request = request_of(which % (kinds + 1), std::make_index_sequence<kinds>());
  (void)store::method_of(request);
  (void)store::decode_answer(request, std::string(bytes));
  return 0;
}
