// SPDX-License-Identifier: Apache-2.0
// The store in etcd (v3, spoken natively). Owned and called by the loop's thread; starts working
// at once and never blocks.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "core/settings.h"
#include "store/store.h"

namespace tanist::store {

// Reads the TLS files, then connects in the background; what is wrong with endpoints, files or
// passwords shows in health warnings and in the results of actions. `loop` must outlive the store.
std::unique_ptr<Store> make_etcd3_store(StoreSettings settings, boost::asio::any_io_executor loop,
                                        StoreEvents events);

}  // namespace tanist::store
