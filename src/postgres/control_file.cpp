// SPDX-License-Identifier: Apache-2.0
// pg_controldata, run only when pg_control changed.
#include "postgres/control_file.h"

#include "os/file.h"
#include "postgres/control_data.h"
#include "postgres/programs.h"

namespace tanist::postgres {

namespace {

constexpr std::size_t control_bytes_max = 64 * 1024;

os::Awaitable<Result<ControlData>> run_controldata(Job job) {
  ToolRun run{.name = "pg_controldata", .arguments = {job.paths.data}};
  auto end = co_await run_tool(job, std::move(run));
  if (!end) co_return pass_on(end.error());
  if (!end->succeeded()) co_return tl::unexpected(failure_of("pg_controldata", *end));
  co_return parse_control_data(end->output);
}

}  // namespace

Result<std::string> read_control_bytes(const std::string& data_directory) {
  return os::read_file(data_directory + "/global/pg_control", control_bytes_max);
}

os::Awaitable<Result<ControlData>> read_control(Job job) {
  constexpr int attempts = 3;
  Result<ControlData> data = fail(Errc::failed, "pg_control was not read");
  for (int attempt = 0; attempt < attempts; ++attempt) {
    auto read = [path = job.paths.data] { return read_control_bytes(path); };
    const auto bytes = co_await job.on_disk(std::move(read));
    if (!bytes) co_return pass_on(bytes.error());
    auto& cache = job.server->control;
    if (cache && cache->bytes == *bytes) co_return cache->data;
    data = co_await run_controldata(job);
    if (data) {
      cache = ControlCache{*bytes, *data};
      break;
    }
    if (data.error().code != Errc::invalid) break;
    const auto moment = job.within(milliseconds{10});
    co_await os::pause(moment);
  }
  co_return data;
}

}  // namespace tanist::postgres
