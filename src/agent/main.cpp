// SPDX-License-Identifier: Apache-2.0
// The program `tanist`: reads the command line, checks or prints a configuration, or runs.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "agent/arguments.h"
#include "agent/driver.h"
#include "agent/startup.h"
#include "base/log.h"
#include "config/sample.h"
#include "config/validate.h"
#include "os/file.h"

namespace tanist::agent {

namespace {

int complain(const std::string& text) {
  std::cerr << text << '\n';
  return 1;
}

int validate(const Arguments& arguments, const config::Environment& environment) {
  const auto local = config::load_local(arguments.config_file, environment);
  if (!local) return complain(local.error().message);
  for (const auto& warning : local->warnings) std::cerr << "warning: " << warning << '\n';
  config::ValidateOptions options;
  options.ignore_listen_port = arguments.ignore_listen_port;
  const auto problems = config::validate(*local, options);
  for (const auto& problem : problems) std::cerr << problem << '\n';
  if (!problems.empty()) return 1;
  if (arguments.print) std::cout << config::print_config(*local);
  return 0;
}

int print_sample(const Arguments& arguments, const config::Environment& environment) {
  const auto facts = config::sample_facts(environment);
  if (!facts) return complain(facts.error().message);
  const auto text = config::sample_config(environment, *facts);
  if (arguments.config_file.empty()) {
    std::cout << text << std::flush;
    return 0;
  }
  const auto slash = arguments.config_file.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    const auto made = os::create_folders(arguments.config_file.substr(0, slash), 0755);
    if (!made) return complain(made.error().message);
  }
  const auto written = os::replace_file(arguments.config_file, text, 0600);
  return written ? 0 : complain(written.error().message);
}

int run(const Arguments& arguments, config::Environment environment) {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  os::ServiceNotifier notifier(socket != nullptr ? socket : "");
  unsetenv("NOTIFY_SOCKET");  // no child may speak for us (trap 140)
  auto startup = prepare_startup(arguments.config_file, std::move(environment));
  if (!startup) {
    flush_log(seconds(1));
    return complain(startup.error().message);
  }
  Driver driver(std::move(*startup), std::move(notifier));
  const auto exit_code = driver.run();
  if (!exit_code) log_critical("{}", exit_code.error().message);
  flush_log(seconds(1));
  // Threads that a hung disk holds must not keep the process: nothing is left to be done.
  _exit(exit_code ? *exit_code : 1);
}

int main_of(const std::vector<std::string>& words) {
  auto environment = config::take_environment();
  const auto arguments = read_arguments(words);
  if (!arguments) {
    complain(arguments.error().message);
    return 2;
  }
  switch (arguments->mode) {
    case Mode::show_text: std::cout << arguments->text << std::flush; return 0;
    case Mode::validate: return validate(*arguments, environment);
    case Mode::print_sample: return print_sample(*arguments, environment);
    case Mode::run: return run(*arguments, std::move(environment));
  }
  return 2;
}

}  // namespace

}  // namespace tanist::agent

int main(int argc, char** argv) {
  // Until the handlers stand, a reload must not kill us (trap 139).
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  return tanist::agent::main_of({argv + 1, argv + argc});
}
