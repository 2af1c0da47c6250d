#include "adapters/sqlite/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "base/test_support.h"

namespace novafeed::sqlite {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr Migration kThree[] = {
    {"0001_a.sql", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"},
    {"0002_b.sql", "-- ends with a comment\nUPDATE a SET x = x + 10;\n-- here"},
    {"0003_c.sql", "UPDATE a SET x = x * 2;"},
};

class Migrations : public ::testing::Test {
 protected:
  std::int64_t X() { return database_.QueryInt("reading", "SELECT x FROM a"); }
  std::int64_t Version() { return database_.QueryInt("reading", "PRAGMA user_version"); }

  TempDirectory directory_;
  Database database_{(directory_.path() / "some.db").string(), Access::kWrite};
};

TEST_F(Migrations, AreAppliedInOrderAndOnce) {
  Migrate(database_, FileKind::kGraph, std::span(kThree).first(1));
  EXPECT_EQ(X(), 1);
  Migrate(database_, FileKind::kGraph, kThree);
  EXPECT_EQ(X(), 22);
  Migrate(database_, FileKind::kGraph, kThree);
  EXPECT_EQ(X(), 22);
  EXPECT_EQ(Version(), 3);
}

TEST_F(Migrations, RefuseANewerFile) {
  Migrate(database_, FileKind::kGraph, kThree);
  EXPECT_THAT([&] { Migrate(database_, FileKind::kGraph, std::span(kThree).first(2)); },
              ThrowsMessage<std::runtime_error>(HasSubstr("newer Novafeed (schema 3, this program knows 2)")));
  EXPECT_EQ(X(), 22);
}

TEST_F(Migrations, RefuseAFileOfAnotherKind) {
  Migrate(database_, FileKind::kGraph, kThree);
  EXPECT_THAT([&] { Migrate(database_, FileKind::kEvents, kThree); },
              ThrowsMessage<std::runtime_error>(HasSubstr("not a file that Novafeed made")));
}

TEST_F(Migrations, RefuseAFileOfAnotherProgram) {
  database_.Execute("preparing", "CREATE TABLE somebody_elses (x)");
  EXPECT_THAT([&] { Migrate(database_, FileKind::kGraph, kThree); },
              ThrowsMessage<std::runtime_error>(HasSubstr("not a file that Novafeed made")));
}

TEST_F(Migrations, TakeBackTheOneThatFailsAndKeepThoseBefore) {
  const Migration failing[] = {kThree[0], {"0002_bad.sql", "UPDATE a SET x = 99; CREATE TABLE a (y INTEGER);"}};
  EXPECT_THAT([&] { Migrate(database_, FileKind::kGraph, failing); },
              ThrowsMessage<std::runtime_error>(HasSubstr("0002_bad.sql failed and was taken back")));
  EXPECT_EQ(X(), 1);
  EXPECT_EQ(Version(), 1);
  Migrate(database_, FileKind::kGraph, kThree);
  EXPECT_EQ(X(), 22);
}

TEST_F(Migrations, OfTheProductAreNumberedByName) {
  for (const std::span<const Migration> list : {GraphMigrations(), EventMigrations()}) {
    ASSERT_FALSE(list.empty());
    for (std::size_t i = 0; i < list.size(); ++i) {
      EXPECT_EQ(std::stoul(std::string(list[i].name.substr(0, 4))), i + 1) << list[i].name;
    }
  }
}

TEST_F(Migrations, SayWhichFileIsDamaged) {
  const std::string path = (directory_.path() / "damaged.db").string();
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  for (int i = 0; i < 1000; ++i) {
    std::fputs("this is no database ", file);
  }
  std::fclose(file);
  EXPECT_THAT([&] { MigratedDatabase(path, FileKind::kGraph, kThree); },
              ThrowsMessage<std::runtime_error>(HasSubstr("damaged.db: while ")));
}

}  // namespace
}  // namespace novafeed::sqlite
