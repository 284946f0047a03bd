// SPDX-License-Identifier: Apache-2.0
// Reading the topology file, and writing a plan: first everything is read and made in memory, then
// every file in the way is judged, and only then is the first one written.
#include "provision/provision.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/format.h"
#include "os/file.h"
#include "provision/manifest.h"
#include "provision/plan.h"
#include "provision/secrets.h"
#include "provision/topology_reader.h"
#include "yaml/yaml.h"

namespace tanist::provision {

namespace {

constexpr mode_t private_folder_mode = 0700;
constexpr mode_t folder_mode = 0755;
constexpr mode_t private_mode = 0600;
constexpr mode_t public_mode = 0644;

// Certificates that end sooner are worth a word.
constexpr auto expiry_warning = std::chrono::days{30};

struct Output {
  std::string path;     // below the folder
  std::string content;  // holds secrets: never in a message
  mode_t mode = public_mode;
};

// The file's content, or nothing when there is none.
Result<std::optional<std::string>> read_if_there(const std::string& path) {
  auto content = os::read_file(path);
  if (content) return std::optional(*std::move(content));
  if (content.error().code == Errc::not_found) return std::optional<std::string>();
  return pass_on(content.error());
}

class Writer {
 public:
  Writer(const Topology& topology, std::string folder, const WriteOptions& options)
      : topology_(topology), options_(options) {
    report_.folder = std::move(folder);
    policy_ = {options.now, options.renew, std::chrono::days{topology.certificates.days},
               std::chrono::days{topology.certificates.authority_days}};
  }

  Result<Report> run();

 private:
  Result<void> load_manifest();
  Result<void> load_authority();
  Result<void> load_secrets();
  Result<void> load_certificates();
  void render();
  void find_left_over();
  Result<void> judge();
  Result<void> write_files();
  void add_expiry_advice();

  std::string full(std::string_view path) const { return report_.folder + "/" + std::string(path); }
  std::string content_of(const PlannedFile& file) const;

  const Topology& topology_;
  WriteOptions options_;
  IssuePolicy policy_;
  Plan plan_;
  Manifest written_before_;
  Authority authority_;
  Secrets secrets_;
  std::vector<KeyPair> certificates_;
  std::vector<Output> outputs_;
  std::vector<Output> changed_;
  Report report_;
};

Result<void> Writer::load_manifest() {
  const auto text = read_if_there(full(Manifest::file_name));
  if (!text) return pass_on(text.error());
  if (!*text) return {};
  auto manifest = Manifest::parse(**text);
  if (!manifest) return pass_on(manifest.error(), "{}", report_.folder);
  written_before_ = *std::move(manifest);
  return {};
}

Result<void> Writer::load_authority() {
  AuthorityFiles files;
  for (const auto& [name, target] :
       {std::pair{"ca/ca.crt", &files.certificate}, std::pair{"ca/ca.key", &files.key},
        std::pair{"ca/previous.crt", &files.previous}}) {
    auto content = read_if_there(full(name));
    if (!content) return pass_on(content.error());
    *target = *std::move(content);
  }
  auto authority = keep_or_make_authority(files, topology_.cluster, policy_);
  if (!authority) return pass_on(authority.error(), "{}", report_.folder);
  authority_ = *std::move(authority);
  if (authority_.is_new) report_.issued.emplace_back("ca/ca.crt: new authority");
  outputs_.push_back({"ca/ca.crt", authority_.current.certificate, public_mode});
  if (!authority_.current.key.empty()) {
    outputs_.push_back({"ca/ca.key", authority_.current.key.reveal(), private_mode});
  }
  std::string previous;
  for (const auto& certificate : authority_.previous) previous += certificate;
  if (files.previous || !previous.empty()) {
    outputs_.push_back({"ca/previous.crt", previous, public_mode});
  }
  return {};
}

Result<void> Writer::load_secrets() {
  for (const auto& entry : names_of(SecretName{})) {
    const auto path = "secrets/" + std::string(entry.second);
    auto content = read_if_there(full(path));
    if (!content) return pass_on(content.error());
    auto password = *content ? password_from(**content) : random_password();
    if (!password) return pass_on(password.error(), "{}", full(path));
    outputs_.push_back({path, content->value_or(password->reveal() + "\n"), private_mode});
    secrets_.emplace(entry.first, *std::move(password));
  }
  return {};
}

Result<void> Writer::load_certificates() {
  for (const auto& planned : plan_.certificates) {
    auto certificate = read_if_there(full(planned.path + ".crt"));
    if (!certificate) return pass_on(certificate.error());
    auto key = read_if_there(full(planned.path + ".key"));
    if (!key) return pass_on(key.error());
    std::optional<KeyPair> existing;
    if (*certificate && *key) existing = KeyPair{**certificate, Secret(**key)};
    auto issued = keep_or_issue(authority_, planned.request, existing, policy_);
    if (!issued) return pass_on(issued.error(), "{}", full(planned.path + ".crt"));
    if (!issued->reason.empty()) {
      report_.issued.push_back(format_text("{}.crt: {}", planned.path, issued->reason));
    }
    certificates_.push_back(std::move(issued->pair));
  }
  return {};
}

std::string Writer::content_of(const PlannedFile& file) const {
  if (const auto* text = std::get_if<std::string>(&file.content)) {
    return with_passwords(*text, secrets_);
  }
  if (const auto* part = std::get_if<CertificatePart>(&file.content)) {
    const auto& pair = certificates_.at(part->index);
    return part->is_key ? pair.key.reveal() : pair.certificate;
  }
  return authority_.trust_bundle();
}

void Writer::render() {
  for (const auto& file : plan_.files) {
    outputs_.push_back({file.path, content_of(file), file.mode});
  }
}

void Writer::find_left_over() {
  for (const auto& path : written_before_.paths()) {
    const bool wanted = std::ranges::find(outputs_, path, &Output::path) != outputs_.end();
    if (!wanted && os::exists(full(path))) report_.left_over.push_back(path);
  }
}

// Sorts the outputs into created, updated and kept ones, and refuses when one may not be replaced.
Result<void> Writer::judge() {
  std::string in_the_way;
  for (auto& output : outputs_) {
    const auto existing = read_if_there(full(output.path));
    if (!existing) return pass_on(existing.error());
    if (*existing && **existing == output.content) {
      report_.kept.push_back(output.path);
      continue;
    }
    const bool ours = !*existing || written_before_.wrote(output.path, **existing);
    if (!ours && !options_.overwrite) in_the_way += "\n  " + full(output.path);
    (*existing ? report_.updated : report_.created).push_back(output.path);
    changed_.push_back(output);
  }
  if (in_the_way.empty()) return {};
  return fail(Errc::refused,
              "nothing was written, because these files were edited or are somebody else's; move "
              "them away, or give the option to overwrite them:{}",
              in_the_way);
}

Result<void> write_output(const std::string& path, const Output& output) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  const bool is_private = output.path.starts_with("ca/") || output.path.starts_with("secrets/");
  const auto created = os::create_folders(folder, is_private ? private_folder_mode : folder_mode);
  if (!created) return created;
  return os::replace_file(path, output.content, output.mode);
}

Result<void> Writer::write_files() {
  const auto created = os::create_folders(report_.folder, private_folder_mode);
  if (!created) return created;
  // Until all is done the manifest knows both contents of a file, so that an interrupted run can
  // simply be repeated.
  auto during = written_before_;
  Manifest after;
  for (const auto& output : outputs_) {
    during.remember(output.path, output.content);
    after.remember(output.path, output.content);
  }
  for (const auto& path : report_.left_over) after.remember(path, written_before_);
  const auto put_manifest = [&](const Manifest& there, const Manifest& wanted) -> Result<void> {
    if (there.text() == wanted.text()) return {};
    return os::replace_file(full(Manifest::file_name), wanted.text(), private_mode);
  };
  const auto begun = put_manifest(written_before_, during);
  if (!begun) return begun;
  for (const auto& output : changed_) {
    const auto written = write_output(full(output.path), output);
    if (!written) return written;
  }
  for (const auto& output : outputs_) {
    std::error_code code;
    std::filesystem::permissions(full(output.path), std::filesystem::perms{output.mode}, code);
    if (code) return fail(Errc::failed, "cannot set the mode of {}", full(output.path));
  }
  return put_manifest(during, after);
}

void Writer::add_expiry_advice() {
  report_.first_expiry = WallTime::max();
  auto all = certificates_;
  all.push_back(authority_.current);
  for (const auto& pair : all) {
    const auto facts = inspect(pair.certificate);
    if (facts) report_.first_expiry = std::min(report_.first_expiry, facts->validity.until);
  }
  if (report_.first_expiry - options_.now >= expiry_warning) return;
  report_.advice.push_back(
      format_text("The first certificate ends at {}: renew them, or the authority, and install "
                  "them on the hosts before.",
                  to_iso8601(report_.first_expiry)));
}

Result<Report> Writer::run() {
  auto plan = make_plan(topology_, report_.folder);
  if (!plan) return pass_on(plan.error());
  plan_ = *std::move(plan);
  for (const auto step : {&Writer::load_manifest, &Writer::load_authority, &Writer::load_secrets,
                          &Writer::load_certificates}) {
    const auto done = (this->*step)();
    if (!done) return pass_on(done.error());
  }
  render();
  find_left_over();
  for (const auto step : {&Writer::judge, &Writer::write_files}) {
    const auto done = (this->*step)();
    if (!done) return pass_on(done.error());
  }
  report_.advice = advice(topology_);
  add_expiry_advice();
  return std::move(report_);
}

}  // namespace

Result<Topology> read_topology(const std::string& path) {
  const auto text = os::read_file(path);
  if (!text) return pass_on(text.error());
  const auto document = yaml::parse_yaml(*text, path);
  if (!document) return pass_on(document.error());
  return topology_from(document->tree, document->lines, path);
}

Result<Report> write(const Topology& topology, const std::string& output_folder,
                     const WriteOptions& options) {
  std::error_code code;
  const auto absolute = std::filesystem::absolute(output_folder, code).lexically_normal().string();
  if (code || output_folder.empty()) {
    return fail(Errc::invalid, "'{}' is no folder to write to", output_folder);
  }
  const auto end = absolute.find_last_not_of('/');
  if (end == std::string::npos) {
    return fail(Errc::refused, "will not write into /; choose a folder of its own");
  }
  return Writer(topology, absolute.substr(0, end + 1), options).run();
}

}  // namespace tanist::provision
