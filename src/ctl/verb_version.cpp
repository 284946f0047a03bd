// SPDX-License-Identifier: Apache-2.0
// `version` (contract ctl 4.15).
#include <algorithm>

#include "base/format.h"
#include "base/json.h"
#include "core/published_values.h"
#include "ctl/session.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

namespace {

// 150004 is 15.4, 90624 is 9.6.24.
std::string server_version_text(std::int64_t number) {
  if (number >= 100000) return format_text("{}.{}", number / 10000, number % 10000);
  return format_text("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

Result<std::string> version_of(Members& members, const MemberView& member) {
  const auto answer = members.ask(member, {.method = "GET", .path = "/patroni"});
  if (!answer) return pass_on(answer.error());
  const auto status = parse_json(answer->body);
  const auto* agent = status ? status->find_path({"patroni", "version"}) : nullptr;
  if (agent == nullptr) {
    return fail(Errc::invalid, "the answer (status code={}) names no version", answer->status);
  }
  auto text = "Patroni " + text_form(*agent);
  const auto* server = status->find("server_version");
  const auto number = server != nullptr ? to_int(*server) : std::nullopt;
  if (number) text += " PostgreSQL " + server_version_text(*number);
  return text;
}

}  // namespace

Result<void> version(const ToolConfig& config, const VersionOptions& options) {
  // Scripts that call patronictl look for a version of Patroni whose tool this one can replace.
  const bool is_patronictl = options.program == "patronictl";
  print_line(format_text("{} version {}", options.program,
                         is_patronictl ? compatible_version : TANIST_VERSION));
  if (!options.cluster) return {};
  auto session = Session::open(config, options.cluster);
  if (!session) return pass_on(session.error());
  print_line("");
  for (const auto& [name, member] : session->reading.view->members) {
    const auto& wanted = options.members;
    const bool is_wanted = wanted.empty() || std::ranges::count(wanted, name.value()) > 0;
    if (member.api_url.empty() || !is_wanted) continue;
    const auto text = version_of(session->members, member);
    print_line(name.value() + ": " +
               (text ? *text : "failed to get version: " + text.error().message));
  }
  return {};
}

}  // namespace tanist::ctl
