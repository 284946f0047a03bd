// SPDX-License-Identifier: Apache-2.0
// `doctor`: everything is looked at, judged and told with its remedy. Changes nothing.
#include <algorithm>

#include "base/format.h"
#include "base/json.h"
#include "ctl/checkup.h"
#include "ctl/session.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"
#include "os/clock.h"
#include "os/file.h"
#include "provision/certificate.h"

namespace tanist::ctl {

namespace {

constexpr Duration store_limit = seconds(3);
constexpr Duration member_limit = seconds(3);

// Options that name certificates.
constexpr std::array<std::array<std::string_view, 2>, 7> certificate_options{
    {{"etcd3", "cacert"},
     {"etcd3", "cert"},
     {"restapi", "certfile"},
     {"restapi", "cafile"},
     {"ctl", "certfile"},
     {"ctl", "cacert"},
     {"ctl", "cafile"}}};

void add_certificates(std::vector<CertificateFile>& out, const std::string& setting,
                      const std::string& path) {
  CertificateFile file{.setting = setting, .path = path};
  const auto text = os::read_file(path);
  if (!text) file.trouble = text.error().message;
  const auto certificates = text ? provision::split_bundle(*text) : std::vector<std::string>();
  if (text && certificates.empty()) file.trouble = path + " holds no certificate";
  if (!file.trouble.empty()) out.push_back(file);
  for (const auto& certificate : certificates) {
    const auto facts = provision::inspect(certificate);
    if (!facts) {
      file.trouble = format_text("{}: {}", path, facts.error().message);
    } else {
      file.name = facts->common_name;
      file.from = facts->validity.from;
      file.until = facts->validity.until;
    }
    out.push_back(file);
  }
}

std::vector<CertificateFile> certificates_of(const Tree& local) {
  std::vector<CertificateFile> out;
  for (const auto& [section, key] : certificate_options) {
    const auto* path = local.find_path({section, key});
    if (path == nullptr || !path->truthy()) continue;
    add_certificates(out, format_text("{}.{}", section, key), text_form(*path));
  }
  return out;
}

MemberAnswer ask(Members& members, const MemberView& member) {
  MemberAnswer out;
  const auto sent = os::wall_now();
  const auto answer =
      members.ask(member, {.method = "GET", .path = "/patroni", .limit = member_limit});
  const auto received = os::wall_now();
  if (!answer) {
    out.trouble = answer.error().message;
    return out;
  }
  out.status = answer->status;
  auto document = parse_json(answer->body);
  if (!document || !document->is_map()) {
    out.trouble = format_text("the answer (status code={}) is no status document", answer->status);
    return out;
  }
  out.document = std::move(*document);
  const auto date = answer->headers.find("date");
  const auto time = date != answer->headers.end() ? parse_http_date(date->second) : std::nullopt;
  // The header is cut to whole seconds; its middle is compared with the middle of the question.
  if (time) out.clock_ahead = *time + milliseconds(500) - (sent + (received - sent) / 2);
  out.uncertainty = milliseconds(500) + (received - sent) / 2;
  return out;
}

void add(Findings& all, Findings some) { std::ranges::move(some, std::back_inserter(all)); }

Findings judge_clock() {
  if (os::wall_clock_synchronised()) {
    return {{Grade::good, "clock", "this host keeps its clock synchronised", ""}};
  }
  return {{Grade::warning, "clock", "nobody keeps this host's clock synchronised",
           "run chrony or systemd-timesyncd"}};
}

// Everything that needs a store that answers.
Result<Findings> judge_cluster(const ToolConfig& config, const std::string& name,
                               const store::StoreReport& report) {
  auto session = Session::open(config, name);
  if (!session) return pass_on(session.error());
  Findings out = judge_timing(report, session->reading);
  add(out, judge_settings(session->reading));
  add(out, judge_replication(session->reading));
  std::map<MemberName, MemberAnswer> answers;
  for (const auto& [member_name, member] : session->reading.view->members) {
    auto answer = ask(session->members, member);
    add(out, judge_member(member, answer));
    answers.emplace(member_name, std::move(answer));
  }
  add(out, judge_versions(answers));
  return out;
}

Table table_of(const Findings& findings) {
  Table table{.columns = {{"Grade"}, {"Subject"}, {"Finding"}, {"Remedy"}}};
  for (const auto& finding : findings) {
    table.rows.push_back({name_of(finding.grade), finding.subject, finding.text, finding.remedy});
  }
  return table;
}

std::string lines_of(const Findings& findings) {
  std::string out;
  for (const auto& finding : findings) {
    out += format_text("{:<8} {}: {}\n", name_of(finding.grade), finding.subject, finding.text);
    if (!finding.remedy.empty()) out += format_text("{:<8} -> {}\n", "", finding.remedy);
  }
  return out;
}

}  // namespace

Result<void> doctor(const ToolConfig& config, const DoctorOptions& options) {
  const auto name = config.cluster_name(options.cluster);
  if (!name) return pass_on(name.error());
  const auto settings = config.store(*name);
  if (!settings) return pass_on(settings.error());
  const auto report = store::check_endpoints(*settings, store_limit);
  Findings findings = judge_store(report);
  add(findings, judge_certificates(certificates_of(config.local.tree), os::wall_now(),
                                   std::chrono::days(options.days)));
  add(findings, judge_clock());
  if (std::ranges::any_of(report.endpoints, &store::EndpointReport::answers)) {
    auto cluster = judge_cluster(config, *name, report);
    if (!cluster) return pass_on(cluster.error());
    add(findings, std::move(*cluster));
  }
  const auto wrong = std::ranges::count(findings, Grade::wrong, &Finding::grade);
  if (options.quiet) {
    std::erase_if(findings, [](const Finding& finding) { return finding.grade == Grade::good; });
  }
  print(options.format == Format::pretty ? lines_of(findings)
                                         : to_text(table_of(findings), options.format));
  if (wrong == 0) return {};
  return fail(Errc::failed, "{} {} wrong, see above", wrong,
              wrong == 1 ? "thing is" : "things are");
}

}  // namespace tanist::ctl
