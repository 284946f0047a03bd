// SPDX-License-Identifier: Apache-2.0
// How a function says that it could not do its work: Result<T>, holding a value or an Error.
// Expected failures only; a broken invariant is `require()` of assert.h. Any thread.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace tanist {

// A code exists only because some caller branches on it; the message is for people and names
// the object (file, key, host) and, where there is one, the remedy.
enum class Errc {
  invalid,      // what somebody else wrote cannot be understood
  not_found,    // the named object does not exist
  refused,      // a definite no: a compare failed, a permission is missing, the wrong owner
  unavailable,  // nothing is known: timeout, no connection, no quorum
  timeout,      // our own deadline passed; the outcome is unknown
  cancelled,    // given up on request
  failed,       // the other side tried and said so (exit code, SQL error)
};

std::string_view to_text(Errc code);

struct Error {
  Errc code = Errc::failed;
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;

// An Error to return, its message formatted with fmt rules.
template <class... Args>
tl::unexpected<Error> fail(Errc code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}

// Passes a failure on, with what was being done put before it ("read FILE: no such file").
template <class... Args>
tl::unexpected<Error> pass_on(Error error, fmt::format_string<Args...> text, Args&&... args) {
  error.message = fmt::format(text, std::forward<Args>(args)...) + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

inline tl::unexpected<Error> pass_on(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace tanist
