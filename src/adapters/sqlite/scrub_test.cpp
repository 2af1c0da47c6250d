#include "adapters/sqlite/scrub.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "adapters/sqlite/group_writer.h"
#include "adapters/sqlite/test_stores.h"

namespace novafeed::sqlite {
namespace {

constexpr char kSecret[] = "SECRET-OF-AN-ERASED-USER";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::size_t CountOf(const std::string& needle, const std::string& bytes) {
  std::size_t count = 0;
  for (std::size_t at = bytes.find(needle); at != std::string::npos; at = bytes.find(needle, at + 1)) {
    ++count;
  }
  return count;
}

std::vector<std::uint8_t> LeafPage() {
  std::vector<std::uint8_t> page(512, 0xee);
  page[0] = 13;                   // a leaf of a table
  page[1] = 1, page[2] = 44;      // the first free block is at 300
  page[3] = 0, page[4] = 2;       // two cells
  page[5] = 1, page[6] = 0;       // which begin at 256
  page[300] = 1, page[301] = 94;  // the next one is at 350
  page[302] = 0, page[303] = 20;
  page[350] = 0, page[351] = 0;
  page[352] = 0, page[353] = 8;
  return page;
}

TEST(ClearUnused, ZeroesWhatIsBetweenPointersAndCellsAndInFreeBlocks) {
  std::vector<std::uint8_t> page = LeafPage();
  const std::vector<std::uint8_t> before = page;
  EXPECT_TRUE(ClearUnused(page, 0));
  for (std::size_t i = 0; i < page.size(); ++i) {
    const bool unused = (i >= 12 && i < 256) || (i >= 304 && i < 320) || (i >= 354 && i < 358);
    EXPECT_EQ(page[i], unused ? 0 : before[i]) << i;
  }
  EXPECT_FALSE(ClearUnused(page, 0)) << "nothing is left";
}

TEST(ClearUnused, LeavesAloneWhatIsNoTree) {
  std::vector<std::uint8_t> page(512, 0xee);
  for (const int type : {0, 1, 3, 12, 255}) {
    page[0] = static_cast<std::uint8_t>(type);
    EXPECT_FALSE(ClearUnused(page, 0)) << type;
  }
  page = LeafPage();
  page[3] = 1;  // more pointers than fit before the cells
  EXPECT_FALSE(ClearUnused(page, 0));
  page = LeafPage();
  page[5] = 200;  // cells beyond the page
  EXPECT_FALSE(ClearUnused(page, 0));
}

TEST(ClearUnused, IsNotLedAstrayByABrokenChain) {
  std::vector<std::uint8_t> page = LeafPage();
  page[350] = 1, page[351] = 44;  // back to the first
  EXPECT_TRUE(ClearUnused(page, 0));
  page = LeafPage();
  page[302] = 200;  // a block beyond the page
  const std::vector<std::uint8_t> before = page;
  EXPECT_TRUE(ClearUnused(page, 0));
  EXPECT_TRUE(std::equal(page.begin() + 256, page.end(), before.begin() + 256));
}

// Rows of many sizes in tables and indexes, some of them secret, written and deleted until pages were split and joined.
class Scrubbing : public ::testing::Test {
 protected:
  Scrubbing() {
    database_.Execute("preparing",
                      "CREATE TABLE a (row INTEGER PRIMARY KEY, id BLOB UNIQUE, text TEXT);"
                      "CREATE INDEX a_by_text ON a (text, id);"
                      "CREATE TABLE b (x BLOB, y BLOB, PRIMARY KEY (x, y)) WITHOUT ROWID");
    const std::uint64_t seed = TestSeed();
    std::mt19937_64 random(seed);
    Statement insert_a(database_, "inserting", "INSERT INTO a (id, text) VALUES (?, ?)");
    Statement insert_b(database_, "inserting", "INSERT INTO b VALUES (?, ?)");
    Statement delete_one(database_, "deleting", "DELETE FROM a WHERE row = ?");
    for (int batch = 0; batch < 60; ++batch) {
      database_.Execute("beginning", "BEGIN IMMEDIATE");
      for (int i = 0; i < 100; ++i) {
        const int number = batch * 100 + i;  // in the id's lowest digits, so that no two ids are equal
        const Uuid id = NumberedId(IdKind::kUser, static_cast<int>(random() % 200'000) * 10'000 + number);
        const std::string word = random() % 4 == 0 ? kSecret : "of somebody else";
        std::string text;
        for (std::uint64_t n = 1 + random() % (random() % 20 == 0 ? 400 : 12); n > 0; --n) {
          text += word;
        }
        insert_a.Execute(id, text);
        insert_b.Execute(id, Blob{word});
      }
      for (int i = 0; i < 20; ++i) {
        delete_one.Execute(static_cast<std::int64_t>(random() % 6000));
      }
      database_.Execute("committing", "COMMIT");
    }
    database_.Execute("deleting", std::string("DELETE FROM a WHERE text LIKE '") + kSecret + "%'");
    database_.Execute("deleting", std::string("DELETE FROM b WHERE y = CAST('") + kSecret + "' AS BLOB)");
  }

  std::int64_t Rows() {
    return database_.QueryInt("counting", "SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b)");
  }

  TempDirectory directory_;
  const std::string path_ = (directory_.path() / "some.db").string();
  Metrics metrics_;
  Database database_{path_, Access::kWrite};
};

TEST_F(Scrubbing, LeavesNoByteOfWhatWasDeletedAndAllThatWasNot) {
  const std::int64_t rows = Rows();
  GroupWriter writer(&database_, 0, {.store = "test"}, &metrics_);
  EXPECT_GT(ScrubFile(&database_, &writer), 0) << "SQLite itself leaves copies; where it no longer does, this may go";
  for (const char* suffix : {"", "-wal", "-shm"}) {
    EXPECT_EQ(CountOf(kSecret, ReadFile(path_ + suffix)), 0u) << suffix;
  }
  EXPECT_EQ(ScrubFile(&database_, &writer), 0) << "nothing is left";
  writer.RunAlone([&](Sequence&) {
    EXPECT_EQ(Rows(), rows);
    Statement check(database_, "checking", "PRAGMA integrity_check");
    auto answer = check.Query();
    ASSERT_TRUE(answer.Next());
    EXPECT_EQ(answer.Text(0), "ok");
  });
}

TEST_F(Scrubbing, ClearsPagesThatTheWriterHadInItsCache) {
  GroupWriter writer(&database_, 0, {.store = "test"}, &metrics_);
  ScrubFile(&database_, &writer);
  writer.RunBlocking(
      [&](Sequence&) { database_.Execute("changing", "UPDATE a SET text = text || 'x' WHERE row % 3 = 0"); });
  Scrubber folding(&database_);
  writer.RunAlone([&](Sequence&) { EXPECT_TRUE(folding.Step()); });
  EXPECT_EQ(CountOf(kSecret, ReadFile(path_)), 0u) << "an old copy of a page was written again";
}

TEST_F(Scrubbing, WaitsForReadersOfAnOlderState) {
  Database reader(path_, Access::kRead);
  reader.Execute("beginning to read", "BEGIN");
  ASSERT_GT(reader.QueryInt("reading", "SELECT count(*) FROM a"), 0);
  database_.Execute("changing", "UPDATE a SET text = 'y' WHERE row = (SELECT min(row) FROM a)");
  Scrubber scrubber(&database_);
  EXPECT_FALSE(scrubber.Step());
  EXPECT_FALSE(scrubber.done());
  reader.Execute("ending to read", "COMMIT");
  EXPECT_TRUE(scrubber.Step());
}

}  // namespace
}  // namespace novafeed::sqlite
