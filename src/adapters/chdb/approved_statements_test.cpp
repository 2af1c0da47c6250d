#include "adapters/chdb/approved_statements.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

TEST(ApprovedStatements, AreThoseThatWereAdded) {
  ApprovedStatements approved;
  approved.Add("SELECT 1", approved.Round());
  EXPECT_TRUE(approved.Has("SELECT 1"));
  EXPECT_FALSE(approved.Has("SELECT 2"));
}

TEST(ApprovedStatements, AreForgottenAndWhatWasLookedAtBeforeIsNotAdded) {
  ApprovedStatements approved;
  const std::uint64_t round = approved.Round();
  approved.Add("SELECT 1", round);
  approved.Forget();
  EXPECT_FALSE(approved.Has("SELECT 1"));
  approved.Add("SELECT 1", round);
  EXPECT_FALSE(approved.Has("SELECT 1"));
  approved.Add("SELECT 1", approved.Round());
  EXPECT_TRUE(approved.Has("SELECT 1"));
}

TEST(ApprovedStatements, NeverThoseWhoseNamesAreParameters) {
  ApprovedStatements approved;
  const char* const statement = "SELECT * FROM {t:identifier}";
  approved.Add(statement, approved.Round());
  EXPECT_FALSE(approved.Has(statement));
}

TEST(ApprovedStatements, AreBounded) {
  ApprovedStatements approved(2);
  for (const char* const statement : {"SELECT 1", "SELECT 2", "SELECT 3"}) approved.Add(statement, approved.Round());
  EXPECT_FALSE(approved.Has("SELECT 1"));
  EXPECT_TRUE(approved.Has("SELECT 3"));
}

TEST(ApprovedStatements, OutliveOnlyStatementsThatMakeNoDatabase) {
  for (const char* const statement :
       {"INSERT INTO t SELECT 1", "-- why\ntruncate TABLE t", "ALTER TABLE t DELETE WHERE 1", ""}) {
    EXPECT_FALSE(MayChangeDatabases(statement)) << statement;
  }
  for (const char* const statement : {"CREATE DATABASE d", "/* SELECT */ DROP DATABASE d", "ATTACH DATABASE d",
                                      "RENAME DATABASE a TO b", "RESTORE ALL FROM Disk('d', 'b')", "what is this"}) {
    EXPECT_TRUE(MayChangeDatabases(statement)) << statement;
  }
}

}  // namespace
}  // namespace novafeed
