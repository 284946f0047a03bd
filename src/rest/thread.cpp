// SPDX-License-Identifier: Apache-2.0
// Starting of threads.
#include "rest/thread.h"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace tanist::rest {

std::thread start_thread(const char* name, std::function<void()> work) {
  // A new thread inherits the mask, so no signal can reach it even in its first instruction.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread(std::move(work));
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), name);
  return thread;
}

}  // namespace tanist::rest
