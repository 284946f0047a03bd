// SPDX-License-Identifier: Apache-2.0
// The log's file: modes, rotation, and what happens when it cannot be used.
#include "base/log_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tanist {
namespace {

class LogFile : public testing::Test {
 protected:
  LogFile() {
    std::string folder = testing::TempDir() + "tanist-log-XXXXXX";
    directory = mkdtemp(folder.data());
    settings.directory = directory;
  }
  ~LogFile() override { std::filesystem::remove_all(directory); }

  std::string content(const std::string& name) const {
    std::ifstream file(directory + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  bool exists(const std::string& name) const {
    return std::filesystem::exists(directory + "/" + name);
  }
  unsigned mode_of(const std::string& name) const {
    struct stat status{};
    stat((directory + "/" + name).c_str(), &status);
    return status.st_mode & 0777U;
  }

  std::string directory;
  LogSettings settings;
};

TEST_F(LogFile, LinesAreAppended) {
  {
    LogSink sink;
    EXPECT_EQ(sink.open(settings), "");
    sink.write("one");
  }
  LogSink sink;
  sink.open(settings);
  sink.write("two");
  EXPECT_EQ(content("patroni.log"), "one\ntwo\n");
}

TEST_F(LogFile, RotatesBeforeTheFileWouldExceedItsSize) {
  settings.file_bytes_max = 10;
  settings.file_count = 2;
  LogSink sink;
  sink.open(settings);
  for (const auto* line : {"1234", "1234", "b", "c2345678", "d"}) sink.write(line);
  EXPECT_EQ(content("patroni.log"), "d\n");
  EXPECT_EQ(content("patroni.log.1"), "c2345678\n");
  EXPECT_EQ(content("patroni.log.2"), "b\n");
  EXPECT_FALSE(exists("patroni.log.3"));
}

TEST_F(LogFile, CountsWhatTheFileHeldBefore) {
  std::ofstream(directory + "/patroni.log") << "123456789\n";
  settings.file_bytes_max = 12;
  LogSink sink;
  sink.open(settings);
  sink.write("abc");
  EXPECT_EQ(content("patroni.log.1"), "123456789\n");
  EXPECT_EQ(content("patroni.log"), "abc\n");
}

TEST_F(LogFile, ALineLongerThanTheLimitStillGoesIn) {
  settings.file_bytes_max = 3;
  LogSink sink;
  sink.open(settings);
  sink.write("longer than three");
  EXPECT_EQ(content("patroni.log"), "longer than three\n");
  EXPECT_FALSE(exists("patroni.log.1"));
}

TEST_F(LogFile, NoCopiesMeansNoRotation) {
  settings.file_bytes_max = 3;
  settings.file_count = 0;
  LogSink sink;
  sink.open(settings);
  sink.write("one");
  sink.write("two");
  EXPECT_EQ(content("patroni.log"), "one\ntwo\n");
}

TEST_F(LogFile, HasTheConfiguredModeWhateverTheUmask) {
  settings.mode = 0644;
  const auto before = umask(0077);
  LogSink sink;
  sink.open(settings);
  umask(before);
  EXPECT_EQ(mode_of("patroni.log"), 0644U);
}

TEST_F(LogFile, WithoutAModeTheUmaskDecides) {
  const auto before = umask(0027);
  LogSink sink;
  sink.open(settings);
  umask(before);
  EXPECT_EQ(mode_of("patroni.log"), 0640U);
}

TEST_F(LogFile, AFileThatCannotBeOpenedIsNamedAndLinesGoToStderr) {
  settings.directory = directory + "/absent";
  LogSink sink;
  EXPECT_EQ(sink.open(settings), "cannot write the log to " + directory +
                                     "/absent/patroni.log: No such file or directory; it goes to "
                                     "stderr");
  testing::internal::CaptureStderr();
  sink.write("still told");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "still told\n");
  EXPECT_EQ(sink.descriptor(), -1);
}

}  // namespace
}  // namespace tanist
