#include "app/data_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "app/settings_table.h"
#include "base/test_support.h"

namespace novafeed {
namespace {

using Missing = DataDirectory::Missing;

mode_t ModeOf(const std::string& path) {
  struct stat found{};
  return stat(path.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
}

TEST(DataDirectoryTest, IsMadeForTheOwnerOnly) {
  const TempDirectory temp;
  const std::string path = temp.path() / "a" / "b";
  ASSERT_TRUE(DataDirectory::Lock(path, Missing::kMake));
  EXPECT_EQ(ModeOf(path), 0700U);
}

TEST(DataDirectoryTest, ATrailingSlashMakesNoDifference) {
  const TempDirectory temp;
  const std::string path = temp.path() / "a";
  const auto locked = DataDirectory::Lock(path + "//", Missing::kMake);
  ASSERT_TRUE(locked);
  EXPECT_EQ(locked->path(), path);
  EXPECT_EQ(ModeOf(path), 0700U);
}

TEST(DataDirectoryTest, IsNotMadeWhereItMustExist) {
  const TempDirectory temp;
  const auto locked = DataDirectory::Lock(temp.path() / "none", Missing::kRefuse);
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, "no_directory");
  EXPECT_EQ(ModeOf(temp.path() / "none"), 0U);
}

TEST(DataDirectoryTest, AFileInItsPlaceIsRefused) {
  const TempDirectory temp;
  std::ofstream(temp.path() / "file") << "x";
  const auto locked = DataDirectory::Lock(temp.path() / "file", Missing::kMake);
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, "bad_directory");
}

TEST(DataDirectoryTest, SecondLockIsRefusedAndNamesTheHolder) {
  const TempDirectory temp;
  const auto held = DataDirectory::Lock(temp.path(), Missing::kMake);
  ASSERT_TRUE(held);
  held->Announce({getpid(), "http://127.0.0.1:1234", "http://127.0.0.1:4321", "/keys", {}});
  const auto second = DataDirectory::Lock(temp.path(), Missing::kMake);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "directory_in_use");
  EXPECT_NE(second.error().detail.find("process " + std::to_string(getpid())), std::string::npos);
  EXPECT_NE(second.error().detail.find("http://127.0.0.1:1234"), std::string::npos);
}

TEST(DataDirectoryTest, IsFreeAgainAfterRelease) {
  const TempDirectory temp;
  {
    ASSERT_TRUE(DataDirectory::Lock(temp.path(), Missing::kMake));
  }
  EXPECT_TRUE(DataDirectory::Lock(temp.path(), Missing::kMake));
}

TEST(DataDirectoryTest, IsFreeAgainAfterItsHolderWasKilled) {
  const TempDirectory temp;
  const std::string path = temp.path();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto held = DataDirectory::Lock(path, Missing::kMake);
    raise(SIGKILL);
    _exit(held ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(DataDirectory::Lock(path, Missing::kMake));
}

TEST(DataDirectoryTest, MovesKeepTheLock) {
  const TempDirectory temp;
  auto first = DataDirectory::Lock(temp.path(), Missing::kMake);
  ASSERT_TRUE(first);
  const DataDirectory moved = std::move(*first);
  EXPECT_EQ(moved.path(), temp.path());
  EXPECT_FALSE(DataDirectory::Lock(temp.path(), Missing::kMake));
}

// What is found for the profile, and for a directory that is named or not.
Result<std::string> FoundBy(bool cluster, const std::string& directory) {
  SettingFlags flags;
  if (cluster) flags.overrides = {{"graph.url", "postgresql://a@127.0.0.1:1/a"}, {"log.url", "kafka://127.0.0.1:1"}};
  if (!directory.empty()) flags.overrides["data.directory"] = directory;
  const Result<Settings> settings = LoadSettings(flags);
  if (!settings) return tl::unexpected<Error>(settings.error());
  return FindDataDirectory(*settings);
}

std::string CodeOf(const Result<std::string>& found) {
  return found ? "" : found.error().code;
}

TEST(FindDataDirectoryTest, EachProfileFindsItsOwnAndWhatIsEmptyOrNotThere) {
  const TempDirectory temp;
  const std::string path = temp.path();
  for (const bool cluster : {true, false}) {
    EXPECT_EQ(CodeOf(FoundBy(cluster, path)), "");
    EXPECT_EQ(CodeOf(FoundBy(cluster, path + "/none")), "");
  }
  EXPECT_EQ(FoundBy(false, "").value_or("refused"), "data");
  std::ofstream(path + "/journal.db") << "x";
  EXPECT_EQ(FoundBy(true, path).value_or("refused"), path);
}

TEST(FindDataDirectoryTest, TheFolderOfANodeIsNoPlatformUnlessItIsServed) {
  const TempDirectory temp;
  std::ofstream(temp.path() / "journal.db") << "x";
  const Result<std::string> found = FoundBy(false, temp.path());
  EXPECT_EQ(CodeOf(found), "node_of_cluster");
  EXPECT_NE(found.error().detail.find("--config"), std::string::npos);
  const auto directory = DataDirectory::Lock(temp.path(), Missing::kRefuse);
  ASSERT_TRUE(directory);
  directory->Announce({getpid(), "http://127.0.0.1:1", "http://127.0.0.1:2", "/keys", {}});
  EXPECT_EQ(CodeOf(FoundBy(false, temp.path())), "");
}

TEST(FindDataDirectoryTest, ANodeOfAClusterTakesNoPlatformsFolder) {
  const TempDirectory temp;
  std::ofstream(temp.path() / "graph.db") << "x";
  std::ofstream(temp.path() / "journal.db") << "x";  // that an earlier version left there
  EXPECT_EQ(CodeOf(FoundBy(true, temp.path())), "data_of_platform");
  EXPECT_EQ(CodeOf(FoundBy(false, temp.path())), "");
}

TEST(FindDataDirectoryTest, ANodeOfAClusterHasNoDefault) {
  const Result<std::string> found = FoundBy(true, "");
  EXPECT_EQ(CodeOf(found), "no_data");
  EXPECT_NE(found.error().detail.find("--data"), std::string::npos);
}

TEST(ServeInfoTest, ReadsBackWhatWasAnnouncedUntilWithdrawn) {
  const TempDirectory temp;
  const auto directory = DataDirectory::Lock(temp.path(), Missing::kMake);
  ASSERT_TRUE(directory);
  EXPECT_FALSE(FindRunningServe(temp.path()));

  directory->Announce({getpid(), "http://[::1]:1", "http://127.0.0.1:2", "/keys", 1'700'000'000'000});
  const std::optional<ServeInfo> info = FindRunningServe(temp.path());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->pid, getpid());
  EXPECT_EQ(info->url, "http://[::1]:1");
  EXPECT_EQ(info->admin_url, "http://127.0.0.1:2");
  EXPECT_EQ(info->keys_directory, "/keys");
  EXPECT_EQ(info->test_clock, 1'700'000'000'000);
  EXPECT_EQ(DirectoryNow(temp.path()), 1'700'000'000'000);
  EXPECT_EQ(ModeOf(temp.path() / "serve.json"), 0600U);

  directory->Withdraw();
  EXPECT_FALSE(FindRunningServe(temp.path()));
  directory->Withdraw();
}

TEST(ServeInfoTest, WhatAKilledProcessLeftBehindIsNoRunningServe) {
  const TempDirectory temp;
  {
    const auto killed = DataDirectory::Lock(temp.path(), Missing::kMake);
    ASSERT_TRUE(killed);
    killed->Announce({getpid(), "http://127.0.0.1:1", "http://127.0.0.1:2", "/keys", 1});
  }
  EXPECT_FALSE(FindRunningServe(temp.path()));
  EXPECT_GT(DirectoryNow(temp.path()), 1);
}

TEST(ServeInfoTest, ACutFileIsNoInfo) {
  const TempDirectory temp;
  const auto directory = DataDirectory::Lock(temp.path(), Missing::kMake);
  ASSERT_TRUE(directory);
  std::ofstream(temp.path() / "serve.json") << R"({"pid":)" << getpid() << R"(,"url":"http://127.0.0.1:1")";
  EXPECT_FALSE(FindRunningServe(temp.path()));
}

}  // namespace
}  // namespace novafeed
