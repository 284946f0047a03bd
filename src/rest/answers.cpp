// SPDX-License-Identifier: Apache-2.0
// The handlers that need no loop, the body rules, and the words for a loop that is silent. Pure.
#include "rest/answers.h"

#include "base/format.h"
#include "base/json.h"

namespace tanist::rest {

namespace {

Response health_answer(std::string_view target, const Inputs& inputs, Form form) {
  const auto split = split_target(target);
  const int code =
      health_code(split.path, Query(split.query), inputs.published.status(), inputs.moment);
  return form == Form::bare ? bare(code) : json(code, inputs.published.status_json());
}

Response failsafe_answer(Published& published) {
  const auto* document = published.failsafe_json();
  return document != nullptr ? json(200, *document)
                             : page(502, "The cluster has no failsafe topology");
}

Response config_answer(Published& published) {
  const auto* document = published.config_json();
  return document != nullptr
             ? json(200, *document)
             : page(502, "The store holds no valid dynamic configuration of this cluster");
}

Response metrics_answer(const Inputs& inputs) {
  if (!inputs.published.exists()) return page(503, "The agent has not finished its first cycle");
  MetricsSource source{inputs.published.status(), inputs.counters, inputs.figures};
  source.certificate_expires = inputs.certificate_expires;
  const auto& [now, deadline] = inputs.moment;
  if (holds_lock(source.status, inputs.moment)) source.lease_margin = *deadline - now;
  auto response = text(200, render_metrics(source));
  response.content_type = "text/plain";
  return response;
}

bool changes_roles(ApiEndpoint endpoint) {
  return endpoint == ApiEndpoint::switchover || endpoint == ApiEndpoint::failover;
}

bool only_reads(ApiEndpoint endpoint) {
  return endpoint == ApiEndpoint::get_cluster || endpoint == ApiEndpoint::get_config ||
         endpoint == ApiEndpoint::get_history || endpoint == ApiEndpoint::get_journal;
}

}  // namespace

std::variant<Response, AskLoop> answer_of(const Route& route, std::string_view method,
                                          std::string_view target, const Inputs& inputs) {
  auto& published = inputs.published;
  const bool fresh = published.view_valid(inputs.moment.now);
  switch (route.handler) {
    case Handler::health: return health_answer(target, inputs, Form::normal);
    case Handler::health_bare: return health_answer(target, inputs, Form::bare);
    case Handler::liveness: return bare(liveness_code(published.status(), inputs.moment.now));
    case Handler::readiness:
      return bare(
          readiness_code(Query(split_target(target).query), published.status(), inputs.moment));
    case Handler::patroni: return json(200, published.status_json());
    case Handler::config:
      if (!fresh) return AskLoop{ApiEndpoint::get_config};
      return config_answer(published);
    case Handler::history:
      if (!fresh) return AskLoop{ApiEndpoint::get_history};
      return json(200, published.history_json());
    case Handler::metrics: return metrics_answer(inputs);
    case Handler::failsafe: return failsafe_answer(published);
    case Handler::loop: return AskLoop{route.endpoint};
    case Handler::sigterm: return text(202, "shutdown scheduled");
    case Handler::mpp: return text(200, "OK");
    case Handler::unsupported: return unsupported(method);
  }
  return unsupported(method);
}

std::variant<Tree, Response> body_of(BodyRule rule, std::optional<std::uint64_t> length,
                                     std::string_view body) {
  if (rule == BodyRule::ignored) return Tree::map();
  const bool required = rule == BodyRule::required;
  if (!length) {
    if (required) return page(411, "The request has no Content-Length");
    return Tree::map();
  }
  if (*length == 0) {
    if (required) return page(400, "The request has no body; a JSON object is needed");
    return Tree::map();
  }
  auto parsed = parse_json(body, body_bytes_max);
  if (!parsed) return page(400, "The body is " + parsed.error().message);
  if (!parsed->is_map()) return page(400, "The body is not a JSON object");
  if (required && parsed->as_map()->empty()) return page(400, "The JSON object is empty");
  return std::move(*parsed);
}

bool asks_for_writable(const Route& route, std::string_view target) {
  const bool is_check = route.handler == Handler::health || route.handler == Handler::health_bare;
  return is_check && demands_primary(split_target(target).path);
}

Tree parameters_of(std::string_view target) {
  Tree parameters = Tree::map();
  const Query query(split_target(target).query);
  for (const auto& [name, value] : query.all()) parameters.set(name, value);
  return parameters;
}

bool takes_long(ApiEndpoint endpoint) {
  return changes_roles(endpoint) || endpoint == ApiEndpoint::restart;
}

Response unanswered(ApiEndpoint endpoint, Duration waited) {
  const auto limit = std::chrono::duration_cast<seconds>(waited).count();
  if (changes_roles(endpoint)) {
    const auto* action = endpoint == ApiEndpoint::switchover ? "Switchover" : "Failover";
    return text(503, format_text("{} status unknown after {} seconds; operation may still be in "
                                 "progress",
                                 action, limit));
  }
  return text(503, format_text("the agent did not answer {} within {} seconds{}", name_of(endpoint),
                               limit, only_reads(endpoint) ? "" : "; it may still do it"));
}

}  // namespace tanist::rest
