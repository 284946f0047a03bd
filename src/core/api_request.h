// SPDX-License-Identifier: Apache-2.0
// What the REST API asks of the loop, and the loop's answer. rest/ has checked access and parsed
// the body; fields, state and wording are decided here in core (contract rest 8, 9, 11-14).
// Values only; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/types.h"

namespace tanist {

enum class ApiEndpoint {
  get_cluster,  // GET /cluster: a fresh read of the store
  get_config,   // GET /config without a valid snapshot
  get_history,  // GET /history without a valid snapshot
  patch_config,
  put_config,
  switchover,
  cancel_switchover,
  failover,
  restart,
  cancel_restart,
  reload,
  reinitialize,
  failsafe,     // POST: a primary asks whether it may stay one
  get_journal,  // answered by the driver, never by a decision
};

constexpr auto names_of(ApiEndpoint) {
  using E = ApiEndpoint;
  return std::array{EnumName<E>{E::get_cluster, "GET /cluster"},
                    EnumName<E>{E::get_config, "GET /config"},
                    EnumName<E>{E::get_history, "GET /history"},
                    EnumName<E>{E::patch_config, "PATCH /config"},
                    EnumName<E>{E::put_config, "PUT /config"},
                    EnumName<E>{E::switchover, "POST /switchover"},
                    EnumName<E>{E::cancel_switchover, "DELETE /switchover"},
                    EnumName<E>{E::failover, "POST /failover"},
                    EnumName<E>{E::restart, "POST /restart"},
                    EnumName<E>{E::cancel_restart, "DELETE /restart"},
                    EnumName<E>{E::reload, "POST /reload"},
                    EnumName<E>{E::reinitialize, "POST /reinitialize"},
                    EnumName<E>{E::failsafe, "POST /failsafe"},
                    EnumName<E>{E::get_journal, "GET /journal"}};
}

struct ApiRequest {
  RequestId id;
  ApiEndpoint endpoint = ApiEndpoint::get_cluster;
  Tree body;  // a map; empty where the body is optional and absent

  static constexpr auto fields() {
    using A = ApiRequest;
    return std::tuple{field("id", &A::id), field("endpoint", &A::endpoint),
                      field("body", &A::body)};
  }
  friend bool operator==(const ApiRequest&, const ApiRequest&) = default;
};
static_assert(lists_all_fields<ApiRequest>);

// How rest/ shows the answer: `text` and `json` are normal responses, `page` is the small HTML
// error page (contract rest 1).
enum class ApiForm { text, json, page };

constexpr auto names_of(ApiForm) {
  return std::array{EnumName<ApiForm>{ApiForm::text, "text"},
                    EnumName<ApiForm>{ApiForm::json, "json"},
                    EnumName<ApiForm>{ApiForm::page, "page"}};
}

struct ApiReply {
  static constexpr std::string_view name = "reply";
  RequestId id;
  std::int64_t status = 200;
  ApiForm form = ApiForm::text;
  std::string body;  // of a page: the explanation
  std::string lsn;   // POST /failsafe: the header `lsn`; empty = no such header

  static constexpr auto fields() {
    using A = ApiReply;
    return std::tuple{field("id", &A::id), field("status", &A::status), field("form", &A::form),
                      field("body", &A::body), field("lsn", &A::lsn)};
  }
  friend bool operator==(const ApiReply&, const ApiReply&) = default;
};
static_assert(lists_all_fields<ApiReply>);

}  // namespace tanist
