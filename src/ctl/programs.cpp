// SPDX-License-Identifier: Apache-2.0
// Starting of editor and pager through the shell: both variables may hold arguments.
#include "ctl/programs.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

namespace tanist::ctl {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_on_path(const std::string& program) {
  auto folders = variable("PATH") + ":";
  for (auto end = folders.find(':'); end != std::string::npos; end = folders.find(':')) {
    if (access((folders.substr(0, end) + "/" + program).c_str(), X_OK) == 0) return true;
    folders.erase(0, end + 1);
  }
  return false;
}

// The variable's command line, or the first program that exists; empty when there is none.
std::string chosen(const char* name, std::initializer_list<const char*> programs) {
  if (auto given = variable(name); !given.empty()) return given;
  for (const auto* program : programs) {
    if (is_on_path(program)) return program;
  }
  return {};
}

}  // namespace

Result<void> edit_file(const std::string& path) {
  const auto editor = chosen("EDITOR", {"editor", "vi"});
  if (editor.empty()) {
    return fail(Errc::not_found,
                "EDITOR environment variable is not set. editor or vi are not available");
  }
  auto line = editor + " \"$1\"";
  std::string shell = "sh";
  std::string option = "-c";
  auto file = path;
  std::array<char*, 6> words{shell.data(), option.data(), line.data(),
                             shell.data(), file.data(),   nullptr};
  pid_t child = -1;
  if (posix_spawn(&child, "/bin/sh", nullptr, nullptr, words.data(), environ) != 0) {
    return fail(Errc::failed, "/bin/sh cannot be started to run the editor {}", editor);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  if (code != 0) return fail(Errc::failed, "Editor exited with return code {}", code);
  return {};
}

Result<void> show_in_pager(const std::string& text) {
  const auto pager = chosen("PAGER", {"less", "more"});
  if (pager.empty()) {
    return fail(Errc::not_found,
                "No pager could be found. Either set PAGER environment variable with your pager or "
                "install either \"less\" or \"more\" in the host.");
  }
  setenv("LESS", "FRX", 0);  // colours; and no screen of its own for what fits on one
  std::FILE* pipe = popen(pager.c_str(), "w");
  if (pipe == nullptr) return fail(Errc::failed, "the pager {} cannot be started", pager);
  std::fwrite(text.data(), 1, text.size(), pipe);
  pclose(pipe);
  return {};
}

}  // namespace tanist::ctl
