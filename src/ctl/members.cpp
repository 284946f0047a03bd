// SPDX-License-Identifier: Apache-2.0
// Requests to members, one at a time, on an event loop of their own.
#include "ctl/members.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "base/json.h"
#include "rest/url.h"

namespace tanist::ctl {

namespace {

constexpr int repeats_max = 3;

}  // namespace

struct Members::Loop {
  explicit Loop(const PeerClientSettings& settings)
      : client(context.get_executor(), settings, rest::Trust::ctl) {}

  Result<rest::Answer> call(const rest::Call& call) {
    std::optional<Result<rest::Answer>> answer;
    client.call(call, [&](Result<rest::Answer> result) { answer = std::move(result); });
    while (!answer) context.run_one();
    return std::move(*answer);
  }

  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work =
      boost::asio::make_work_guard(context);
  rest::Client client;
};

Members::Members(const PeerClientSettings& settings) : loop_(std::make_shared<Loop>(settings)) {}

Result<Members> Members::make(const ToolConfig& config) {
  const auto settings = config.peer_client();
  if (!settings) return pass_on(settings.error());
  return Members(*settings);
}

Result<rest::Answer> Members::ask(const MemberView& member, const MemberRequest& request) {
  auto url = rest::parse_url(member.api_url);
  if (!url) return pass_on(url.error(), "api_url of member {}", member.name.value());
  const rest::Call call{
      .method = std::string(request.method),
      .url = (url->tls ? "https://" : "http://") + url->authority() + std::string(request.path),
      .body = request.body.is_null() ? "" : to_json(request.body),
      .timeout = request.limit};
  auto answer = loop_->call(call);
  const int repeats = request.repeats ? repeats_max : 0;
  for (int i = 0; i < repeats && !answer && answer.error().code == Errc::unavailable; ++i) {
    answer = loop_->call(call);
  }
  return answer;
}

Selection leader_first(const ClusterView& view) {
  Selection out;
  if (const auto* leader = view.leader_member()) out.push_back(leader);
  for (const auto& [name, member] : view.members) {
    if (!view.locked_by(name)) out.push_back(&member);
  }
  return out;
}

}  // namespace tanist::ctl
