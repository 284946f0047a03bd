// SPDX-License-Identifier: Apache-2.0
// Password file and service file.
#include "postgres/tool_passwords.h"

#include "base/format.h"
#include "os/file.h"
#include "postgres/config_files.h"

namespace tanist::postgres {

namespace {

constexpr std::string_view service = "tanist";

Result<Environment> write_passwords(const ServerSettings& settings, const Credentials& user,
                                    const Upstream& upstream) {
  Environment environment;
  if (settings.pgpass.empty()) return environment;
  if (!user.password.empty()) {
    auto written = write_password_for(settings, user, upstream);
    if (!written) return pass_on(written.error());
    environment.push_back("PGPASSFILE=" + settings.pgpass);
  }
  if (!user.sslpassword.empty()) {
    constexpr mode_t only_owner = 0600;
    const auto path = settings.pgpass + ".service";
    const auto text = format_text("[{}]\nsslpassword={}\n", service, user.sslpassword.reveal());
    auto written = os::replace_file(path, text, only_owner);
    if (!written) return pass_on(written.error());
    environment.push_back("PGSERVICEFILE=" + path);
    environment.push_back(format_text("PGSERVICE={}", service));
  }
  return environment;
}

}  // namespace

os::Awaitable<Result<Environment>> password_environment(Job job, Credentials user,
                                                        Upstream upstream) {
  auto write = [settings = job.settings, user = std::move(user), upstream = std::move(upstream)] {
    return write_passwords(*settings, user, upstream);
  };
  co_return co_await job.on_disk(std::move(write));
}

}  // namespace tanist::postgres
