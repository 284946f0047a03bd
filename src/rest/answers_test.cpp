// SPDX-License-Identifier: Apache-2.0
// Handlers and body rules (contract rest 1, 7-9, 14, 15).
#include "rest/answers.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/json.h"

namespace tanist::rest {
namespace {

constexpr Instant now{seconds(1000)};

std::shared_ptr<Status> leader() {
  auto status = std::make_shared<Status>();
  status->document = Tree::map({{"state", "running"}, {"role", "primary"}});
  status->config = Tree::map({{"ttl", 30}});
  status->history = Tree::list({Tree::list({1, 100, "no reason"})});
  status->failsafe = Tree::map({{"n1", "http://n1:8008/patroni"}});
  status->state = status->internal_state = ServerState::running;
  status->role = Role::primary;
  status->in_recovery = false;
  status->holds_lock = true;
  status->view_valid = true;
  status->next_run = now;
  status->good_until = now + seconds(10);
  return status;
}

std::variant<Response, AskLoop> ask(std::string_view method, std::string_view target,
                                    StatusPtr status) {
  Published published(std::move(status));
  const Moment moment{now, now + seconds(5)};
  const ServerCounters counters;
  const auto route = route_of(method, split_target(target).path);
  const Figures figures;
  return answer_of(route, method, target, {published, moment, counters, figures});
}

// The loop is asked this; nothing when the answer is made at once.
std::optional<ApiEndpoint> asked(std::string_view target, StatusPtr status) {
  const auto answer = ask("GET", target, std::move(status));
  const auto* question = std::get_if<AskLoop>(&answer);
  return question != nullptr ? std::optional(question->endpoint) : std::nullopt;
}

Response get(std::string_view target, StatusPtr status = leader()) {
  auto answer = ask("GET", target, std::move(status));
  return std::holds_alternative<Response>(answer) ? std::get<Response>(answer) : bare(999);
}

TEST(Answers, HealthCheckCarriesTheDocumentWithEitherCode) {
  EXPECT_EQ(get("/primary").code, 200);
  EXPECT_EQ(get("/replica").code, 503);
  EXPECT_EQ(get("/replica").body, R"({"state": "running", "role": "primary"})");
  EXPECT_EQ(get("/replica").content_type, "application/json");
}

TEST(Answers, HeadAndOptionsCarryNothing) {
  const auto answer = std::get<Response>(ask("OPTIONS", "/primary", leader()));
  EXPECT_EQ(answer.code, 200);
  EXPECT_EQ(answer.form, Form::bare);
  EXPECT_EQ(std::get<Response>(ask("HEAD", "/patroni", leader())).code, 503);
}

TEST(Answers, ProbesAreBare) {
  EXPECT_EQ(get("/liveness").form, Form::bare);
  EXPECT_EQ(get("/liveness").code, 200);
  EXPECT_EQ(get("/readiness").form, Form::bare);
  EXPECT_EQ(get("/readiness").code, 200);
}

TEST(Answers, StatusPageIsAlways200) {
  EXPECT_EQ(get("/patroni").code, 200);
  EXPECT_EQ(get("/patroni", nullptr).code, 200);
  EXPECT_EQ(get("/patroni", nullptr).body,
            R"({"state": "unknown", "role": "uninitialized", "dcs_last_seen": 0, "patroni": {}})");
}

TEST(Answers, ConfigComesFromTheSnapshot) {
  EXPECT_EQ(get("/config").body, R"({"ttl": 30})");
  auto status = leader();
  status->config = Tree();
  EXPECT_EQ(get("/config", status).code, 502);
  EXPECT_EQ(get("/config", status).form, Form::page);
}

TEST(Answers, HistoryIsAnEmptyListWhenThereIsNone) {
  EXPECT_EQ(get("/history").body, R"([[1, 100, "no reason"]])");
  auto status = leader();
  status->history = Tree("garbage");
  EXPECT_EQ(get("/history", status).body, "[]");
}

TEST(Answers, WithoutValidSnapshotConfigAndHistoryAreTheLoops) {
  auto status = leader();
  status->view_valid = false;
  EXPECT_EQ(asked("/config", status), ApiEndpoint::get_config);
  EXPECT_EQ(asked("/history", status), ApiEndpoint::get_history);
  auto old = leader();
  old->good_until = now;
  EXPECT_EQ(asked("/config", old), ApiEndpoint::get_config);
  EXPECT_EQ(asked("/config", nullptr), ApiEndpoint::get_config);
}

TEST(Answers, ClusterIsAlwaysTheLoops) {
  EXPECT_EQ(asked("/cluster", leader()), ApiEndpoint::get_cluster);
}

TEST(Answers, FailsafeShowsTheMapOr502) {
  EXPECT_EQ(get("/failsafe").body, R"({"n1": "http://n1:8008/patroni"})");
  auto status = leader();
  status->failsafe = Tree();
  EXPECT_EQ(get("/failsafe", status).code, 502);
}

TEST(Answers, MetricsArePlainText) {
  EXPECT_EQ(get("/metrics").content_type, "text/plain");
  EXPECT_EQ(get("/metrics", nullptr).code, 503);
}

TEST(Answers, SpecialEndpointsHaveNoEffect) {
  EXPECT_EQ(std::get<Response>(ask("POST", "/sigterm", leader())).body, "shutdown scheduled");
  EXPECT_EQ(std::get<Response>(ask("POST", "/sigterm", leader())).code, 202);
  EXPECT_EQ(std::get<Response>(ask("POST", "/mpp", leader())).body, "OK");
}

TEST(Answers, UnknownPairsAre501) {
  EXPECT_EQ(std::get<Response>(ask("POST", "/patroni", leader())).code, 501);
}

TEST(Answers, DocumentsAreRenderedOncePerPublication) {
  Published published(leader());
  EXPECT_EQ(&published.status_json(), &published.status_json());
  EXPECT_EQ(published.status_json().data(), published.status_json().data());
}

TEST(Answers, LeaseMarginIsThatOfTheMoment) {
  EXPECT_NE(get("/metrics").body.find("tanist_lease_margin_seconds{scope"), std::string::npos);
  auto status = leader();
  status->holds_lock = false;
  EXPECT_EQ(get("/metrics", status).body.find("tanist_lease_margin_seconds{"), std::string::npos);
}

TEST(Answers, LogThatCannotKeepUpShowsInTheStatus) {
  const auto document = Tree::map({{"state", "running"}});
  EXPECT_EQ(with_log_queue(document, {.waiting = 2, .lost = 9}), document);
  EXPECT_EQ(to_json(with_log_queue(document, {.waiting = 3, .lost = 0})),
            R"({"state":"running","logger_queue_size":3})");
  EXPECT_EQ(to_json(with_log_queue(document, {.waiting = 3, .lost = 9})),
            R"({"state":"running","logger_queue_size":3,"logger_records_lost":9})");
}

struct BodyCase {
  std::optional<std::uint64_t> length;
  std::string body;
  int required;  // code of the refusal, 0 = taken
  int optional;
};

TEST(BodyRules, FollowTheContractsTable) {
  const std::vector<BodyCase> cases{
      {{}, "", 411, 0},          {0, "", 400, 0},
      {1, "x", 400, 400},        {2, "{}", 400, 0},
      {2, "[]", 400, 400},       {4, "null", 400, 400},
      {1, "5", 400, 400},        {7, "{\"a\":1}", 0, 0},
      {6, "{\"a\":1", 400, 400}, {8, "{\"a\":1}}", 400, 400},
      {3, "\"a\"", 400, 400},    {9, "{\"a\":\"\xff\"}", 400, 400},
  };
  for (const auto& one : cases) {
    const auto code = [&](BodyRule rule) {
      const auto body = body_of(rule, one.length, one.body);
      const auto* refusal = std::get_if<Response>(&body);
      return refusal != nullptr ? refusal->code : 0;
    };
    EXPECT_EQ(code(BodyRule::required), one.required) << one.body;
    EXPECT_EQ(code(BodyRule::optional), one.optional) << one.body;
    EXPECT_EQ(code(BodyRule::ignored), 0) << one.body;
  }
}

TEST(BodyRules, DepthIsLimited) {
  const std::string deep = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  const auto body = body_of(BodyRule::required, deep.size(), deep);
  ASSERT_TRUE(std::holds_alternative<Response>(body));
  EXPECT_EQ(std::get<Response>(body).form, Form::page);
}

TEST(BodyRules, TheLoopGetsAMap) {
  const auto body = body_of(BodyRule::required, 17, R"({"leader":"node"})");
  EXPECT_EQ(std::get<Tree>(body), Tree::map({{"leader", "node"}}));
  EXPECT_EQ(std::get<Tree>(body_of(BodyRule::optional, {}, "")), Tree::map());
}

TEST(Unanswered, RoleChangesReadAsUnknownOutcome) {
  EXPECT_EQ(unanswered(ApiEndpoint::switchover, seconds(60)).body,
            "Switchover status unknown after 60 seconds; operation may still be in progress");
  EXPECT_EQ(unanswered(ApiEndpoint::failover, seconds(60)).body,
            "Failover status unknown after 60 seconds; operation may still be in progress");
  EXPECT_EQ(unanswered(ApiEndpoint::get_cluster, seconds(10)).code, 503);
}

TEST(Unanswered, NeverLooksLikeARunningAction) {
  for (const auto& [endpoint, name] : names_of(ApiEndpoint{})) {
    EXPECT_FALSE(unanswered(endpoint, seconds(10)).body.ends_with("already in progress")) << name;
  }
}

}  // namespace
}  // namespace tanist::rest
