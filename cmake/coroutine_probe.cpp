// SPDX-License-Identifier: Apache-2.0
// Exits 0 when the compiler gets coroutines right: aggregate and capturing-lambda arguments in an
// awaited call, and `if (co_await ...)` in a body without locals (all broken by g++ 12).
#include <coroutine>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace {

int alive = 0;

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  ~Counted() { --alive; }
};

struct Options {
  std::string key;
  Counted counted;
};

template <class T>
struct Task {
  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> waiter;
    Task get_return_object() {
      return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        auto waiter = self.promise().waiter;
        return waiter ? waiter : std::noop_coroutine();
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(T result) { value = std::move(result); }
    void unhandled_exception() { std::terminate(); }
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ~Task() {
    if (handle_) handle_.destroy();
  }
  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    handle_.promise().waiter = waiter;
    return handle_;
  }
  T await_resume() { return std::move(*handle_.promise().value); }
  T run() {
    handle_.resume();
    return std::move(*handle_.promise().value);
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

Task<int> length(Options options) { co_return static_cast<int>(options.key.size()); }
Task<bool> truth(bool value) { co_return value; }
Task<int> call(std::function<int()> function) { co_return function(); }
Task<int> branch() {
  if (co_await truth(true)) co_return 1;
  co_return 0;
}

Task<int> all() {
  std::string key(100, 'k');
  const int a = co_await length({.key = key, .counted = {}});
  const int b = co_await call([key] { return static_cast<int>(key.size()); });
  const int c = co_await branch();
  co_return a + b + c;
}

}  // namespace

int main() {
  const int sum = all().run();
  return sum == 201 && alive == 0 ? 0 : 1;
}
