#include "app/erased_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <string>

#include "app/settings_table.h"
#include "app/stores.h"
#include "base/test_support.h"
#include "graph/commands.h"
#include "graph/retired.h"

namespace novafeed {
namespace {

using ::testing::UnorderedElementsAre;

constexpr TimeMs kNow = 1'795'382'793'122;

UserId UserNumber(int number) {
  return UserId{IdFromExternal(IdKind::kUser, std::to_string(number))};
}
Uuid DigestOf(int number) {
  return RetiredDigest(RetiredKind::kUser, UserNumber(number).value);
}

class ErasedListTest : public ::testing::Test {
 protected:
  Stores Open() { return OpenStores(data_, *LoadSettings({}), &clock_, &metrics_); }

  static void Write(const Stores& stores, GraphStore::Work work) {
    std::promise<void> done;
    stores.graph->Write(std::move(work), [&done](const Result<std::int64_t>& result) {
      EXPECT_TRUE(result);
      done.set_value();
    });
    done.get_future().wait();
  }
  static void AddUsers(const Stores& stores, int count) {
    Write(stores, [count](GraphTransaction& tx) {
      for (int i = 1; i <= count; ++i) {
        ASSERT_TRUE(CreateUser(tx, {ParsedId{UserNumber(i).value, {}}, "user" + std::to_string(i), ""}));
      }
    });
  }

  TempDirectory directory_;
  const std::string data_ = (directory_.path() / "data").string();
  const std::string path_ = (directory_.path() / "erased.list").string();
  ManualClock clock_{kNow};
  Metrics metrics_;
  const bool made_ = std::filesystem::create_directory(data_);
};

TEST_F(ErasedListTest, KeepsEachDigestOnceAlsoBehindALineThatWasCutOff) {
  ErasedList list(path_);
  EXPECT_TRUE(list.digests().empty());
  const Uuid digests[] = {DigestOf(1), DigestOf(2)};
  ASSERT_TRUE(list.Add(digests));
  std::ofstream(path_, std::ios::app) << "00000000-0000-";
  ErasedList again(path_);
  EXPECT_THAT(again.digests(), UnorderedElementsAre(DigestOf(1), DigestOf(2)));
  const Uuid more[] = {DigestOf(2), DigestOf(3)};
  ASSERT_TRUE(again.Add(more));
  const auto size = std::filesystem::file_size(path_);
  ASSERT_TRUE(again.Add(more));
  EXPECT_EQ(std::filesystem::file_size(path_), size);
  EXPECT_THAT(ErasedList(path_).digests(), UnorderedElementsAre(DigestOf(1), DigestOf(2), DigestOf(3)));
}

TEST_F(ErasedListTest, SaysWhyItCannotBeWritten) {
  ErasedList list((directory_.path() / "missing" / "erased.list").string());
  const Uuid digests[] = {DigestOf(1)};
  EXPECT_EQ(list.Add(digests).error().code, "erased_list_failed");
  EXPECT_TRUE(list.digests().empty());
}

TEST_F(ErasedListTest, AStoreThatWasRestoredErasesThemAgain) {
  const std::string backup = (directory_.path() / "backup").string();
  {
    const Stores stores = Open();
    AddUsers(stores, 3);
  }
  std::filesystem::copy(data_, backup);
  {
    const Stores stores = Open();
    Write(stores, [](GraphTransaction& tx) { ASSERT_TRUE(EraseUser(tx, UserNumber(2))); });
    const std::vector<Erasure> erased = stores.graph->ReadErasures();
    ASSERT_TRUE(stores.erased->Hide(erased));
  }
  std::filesystem::copy_file(data_ + "/erased.list", backup + "/erased.list",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove_all(data_);
  std::filesystem::rename(backup, data_);
  const Stores stores = Open();
  EXPECT_TRUE(stores.graph->GetUser(UserNumber(1)));
  EXPECT_FALSE(stores.graph->GetUser(UserNumber(2)));
  EXPECT_TRUE(stores.graph->IsRetired(RetiredKind::kUser, UserNumber(2).value));
  ASSERT_EQ(stores.graph->ReadErasures().size(), 1u) << "its removal and its purge follow";
  EXPECT_EQ(stores.graph->ReadErasures()[0].user, UserNumber(2));
}

TEST_F(ErasedListTest, AnIdOfTheListThatTheStoreNeverHadIsRefused) {
  {
    const Stores stores = Open();
  }
  ErasedList list(data_ + "/erased.list");
  const Uuid digests[] = {DigestOf(7)};
  ASSERT_TRUE(list.Add(digests));
  const Stores stores = Open();
  EXPECT_TRUE(stores.graph->IsRetired(RetiredKind::kUser, UserNumber(7).value));
  EXPECT_TRUE(stores.graph->ReadErasures().empty());
}

TEST_F(ErasedListTest, ALostListIsMadeAgainFromTheStore) {
  {
    const Stores stores = Open();
    AddUsers(stores, 1);
    Write(stores, [](GraphTransaction& tx) { ASSERT_TRUE(EraseUser(tx, UserNumber(1))); });
  }
  const Stores stores = Open();
  EXPECT_THAT(ErasedList(data_ + "/erased.list").digests(), UnorderedElementsAre(DigestOf(1)));
}

}  // namespace
}  // namespace novafeed
