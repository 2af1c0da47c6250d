#include "adapters/chdb/read_only.h"

#include <gtest/gtest.h>

#include <string>

#include "adapters/chdb/allowed_functions.h"

namespace novafeed {
namespace {

constexpr StatementAnalysis kOneRead{1, StatementClass::kReadOnly};
const std::vector<DatabaseKind> kDatabases{
    {"INFORMATION_SCHEMA", "Memory"},
    {"a.b", "Atomic"},
    {"default", "Overlay"},
    {"files", "Filesystem"},
    {"information_schema", "Memory"},
    {"mine", "Atomic"},
    {"novafeed", "Atomic"},
    {"other", "Memory"},
    {"system", "Atomic"},
};

// The code that a tree is refused with; 0: it is allowed.
int CodeOf(std::string_view tree, StatementAnalysis analysis = kOneRead) {
  const auto refused = CheckReadOnly(analysis, tree, kDatabases);
  return refused ? refused->code : 0;
}

constexpr int kDenied = 497;
constexpr int kReadonly = 164;

TEST(ReadOnlyTest, OneStatementThatReads) {
  EXPECT_EQ(CodeOf("SelectWithUnionQuery\n"), 0);
  EXPECT_EQ(CodeOf("SelectWithUnionQuery", {2, StatementClass::kReadOnly}), kReadonly);
  EXPECT_EQ(CodeOf("SelectWithUnionQuery", {0, StatementClass::kReadOnly}), kReadonly);
  for (const auto kind : {StatementClass::kMutating, StatementClass::kMutatingGlobal, StatementClass::kControl,
                          StatementClass::kUnknown}) {
    EXPECT_EQ(CodeOf("SelectWithUnionQuery", {1, kind}), kReadonly);
  }
}

TEST(ReadOnlyTest, ATreeThatIsMissingIsRefused) {
  EXPECT_EQ(CodeOf(""), kDenied);
}

TEST(ReadOnlyTest, FunctionsAreOnTheList) {
  EXPECT_EQ(CodeOf(" Function count (children 1)"), 0);
  EXPECT_EQ(CodeOf(" Function COUNT (alias c) (children 1)"), 0);
  EXPECT_EQ(CodeOf("      Function uniqExactIfMerge (children 2)"), 0);
  EXPECT_EQ(CodeOf("      Function numbers (children 1)"), 0);
  EXPECT_EQ(CodeOf(" Function file (children 1)"), kDenied);
  EXPECT_EQ(CodeOf(" Function File (children 1)"), kDenied);
  EXPECT_EQ(CodeOf(" Function file (alias count) (children 1)"), kDenied);
  EXPECT_EQ(CodeOf(" Function fileIf"), kDenied);
  EXPECT_EQ(CodeOf(" Function "), kDenied);
  EXPECT_EQ(CodeOf(" Function"), kDenied);
}

TEST(ReadOnlyTest, OwnViewsTakeParameters) {
  EXPECT_EQ(CodeOf(" Function novafeed.trending (children 1)"), 0);
  EXPECT_EQ(CodeOf(" Function other.trending (children 1)"), kDenied);
  EXPECT_EQ(CodeOf(" Function system.file (children 1)"), kDenied);
  EXPECT_EQ(CodeOf(" Function trending (children 1)"), kDenied);
  EXPECT_EQ(CodeOf(" Function novafeed.a.b (children 1)"), kDenied);
  EXPECT_EQ(CodeOf(" Function novafeed./etc/passwd (children 1)"), kDenied);
}

TEST(ReadOnlyTest, TablesAreOursOrListed) {
  EXPECT_EQ(CodeOf(" TableIdentifier posts"), 0);
  EXPECT_EQ(CodeOf(" TableIdentifier novafeed.posts (alias p)"), 0);
  EXPECT_EQ(CodeOf(" TableIdentifier system.parts"), 0);
  for (const char* table :
       {"system.users", "default.posts", "other.posts", "information_schema.tables", "x.csv", "/etc/passwd", "passwd.",
        ".passwd", "novafeed.", "novafeed./etc/passwd", "a b", "novafeed.a.b", "system.parts.x", "novafeed.x (y"}) {
    EXPECT_EQ(CodeOf(std::string(" TableIdentifier ") + table), kDenied) << table;
  }
}

TEST(ReadOnlyTest, IdentifiersMayNotReachIntoAnotherDatabase) {
  EXPECT_EQ(CodeOf(" Identifier a"), 0);
  EXPECT_EQ(CodeOf(" Identifier p.created at (alias x)"), 0);
  EXPECT_EQ(CodeOf(" Identifier novafeed.posts"), 0);
  EXPECT_EQ(CodeOf(" Identifier system.parts"), 0);
  EXPECT_EQ(CodeOf(" Identifier system.parts.rows (alias r)"), 0);
  EXPECT_EQ(CodeOf(" Identifier systematic.users"), 0);
  for (const char* name : {"system.users", "system.users.name", "default.x", "other.x", "default./etc/x.csv",
                           "INFORMATION_SCHEMA.tables"}) {
    EXPECT_EQ(CodeOf(std::string(" Identifier ") + name), kDenied) << name;
  }
}

TEST(ReadOnlyTest, AnOwnersDatabaseIsOpenWhereItHoldsNothingButItsTables) {
  EXPECT_EQ(CodeOf(" TableIdentifier mine.visits (alias v)"), 0);
  EXPECT_EQ(CodeOf(" Identifier mine.visits"), 0);
  EXPECT_EQ(CodeOf(" Function mine.by_page (children 1)"), 0);
  EXPECT_EQ(CodeOf("ShowCreateTableQuery mine visits (children 2)"), 0);
  for (const char* line : {" TableIdentifier mine./etc/passwd", " TableIdentifier mine.a.b", " TableIdentifier mine.",
                           " TableIdentifier files.x", " Identifier files.x", " Function files.x",
                           "ShowCreateTableQuery files x", " TableIdentifier nosuch.x", " Function mine./etc/passwd",
                           " TableIdentifier a.b.x", " Identifier a.b.x", " Function a.b.x"}) {
    EXPECT_EQ(CodeOf(line), kDenied) << line;
  }
}

TEST(ReadOnlyTest, TheEnginesOwnDatabasesAreNeverOpen) {
  EXPECT_TRUE(IsOpenDatabase("novafeed", {}));
  EXPECT_TRUE(IsOpenDatabase("mine", kDatabases));
  EXPECT_FALSE(IsOpenDatabase("", kDatabases));
  for (const char* name : {"system", "default", "information_schema", "INFORMATION_SCHEMA"}) {
    EXPECT_FALSE(IsOpenDatabase(name, {{name, "Atomic"}})) << name;
  }
}

TEST(ReadOnlyTest, StatementsAboutTables) {
  EXPECT_EQ(CodeOf("ShowCreateTableQuery novafeed posts (children 2)\n Identifier novafeed\n Identifier posts"), 0);
  EXPECT_EQ(CodeOf("ExistsTableQuery  posts (children 1)\n Identifier posts"), 0);
  EXPECT_EQ(CodeOf("ShowCreateTableQuery system users (children 2)"), kDenied);
  EXPECT_EQ(CodeOf("ShowCreateTableQuery other posts (children 2)"), kDenied);
  EXPECT_EQ(CodeOf("ShowCreateTableQuery posts"), kDenied);
}

TEST(ReadOnlyTest, SettingsAreNotForQueries) {
  EXPECT_EQ(CodeOf("SelectQuery (children 2)\n Set"), kReadonly);
}

TEST(ReadOnlyTest, NodesThatAreNotListedAreRefused) {
  for (const char* node : {"InsertQuery", "ColumnsApplyTransformer", "CreateQuery", "SystemQuery", "ShowGrantsQuery",
                           "Functional", "selectquery", "SelectQuery:"}) {
    EXPECT_EQ(CodeOf(std::string("SelectQuery\n ") + node), kDenied) << node;
  }
}

TEST(ReadOnlyTest, EveryLineCounts) {
  EXPECT_EQ(CodeOf("SelectQuery\n Identifier x\n Function file\n Literal 1\n"), kDenied);
  EXPECT_EQ(CodeOf("SelectQuery\n Identifier x\n\n Literal 1\n"), kDenied);  // an empty line is no node
  // A name with line breaks looks like more lines, but hides none.
  EXPECT_EQ(CodeOf("SelectQuery\n Function file (alias x\n Function count) (children 1)\n"), kDenied);
}

TEST(ReadOnlyTest, TheReasonNamesWhatIsRefused) {
  const auto refused = CheckReadOnly(kOneRead, " Function url (children 1)", kDatabases);
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->text.find("function url"), std::string::npos) << refused->text;
  EXPECT_TRUE(refused->text.starts_with("Code: 497. DB::Exception: ")) << refused->text;
  EXPECT_TRUE(refused->text.ends_with(" (ACCESS_DENIED)")) << refused->text;
}

TEST(AllowedFunctionsTest, NothingOnTheListReachesOut) {
  for (const char* name : {"file",
                           "url",
                           "s3",
                           "remote",
                           "executable",
                           "dictGet",
                           "joinGet",
                           "hostName",
                           "sleep",
                           "getMacro",
                           "getServerSetting",
                           "hasColumnInTable",
                           "addressToLine",
                           "catboostEvaluate",
                           "format",
                           "formatRow",
                           "eval",
                           "serverUUID",
                           "filesystemAvailable",
                           "AIGenerate",
                           "state",
                           "merge",
                           "if_",
                           "",
                           "fileOrNull",
                           "urlArray"}) {
    EXPECT_FALSE(IsAllowedFunction(name)) << name;
  }
}

TEST(AllowedFunctionsTest, AggregatesTakeCombinators) {
  for (const char* name : {"sum", "sumIf", "uniqExactState", "uniqExactMergeState", "argMaxIf", "quantileTDigestArray",
                           "countDistinct", "groupArrayOrNull", "sumMap", "sumForEach", "anyLastSimpleState"}) {
    EXPECT_TRUE(IsAllowedFunction(name)) << name;
  }
}

TEST(AllowedFunctionsTest, TableFunctionsMakeRowsOfNothing) {
  EXPECT_TRUE(IsAllowedTableFunction("numbers"));
  EXPECT_TRUE(IsAllowedTableFunction("VALUES"));
  for (const char* name : {"file", "url", "merge", "view", "loop", "input", "dictionary", "format", ""}) {
    EXPECT_FALSE(IsAllowedTableFunction(name)) << name;
  }
}

class ReadOnlySettingsTest : public testing::Test {
 protected:
  static int CodeOf(const std::string& name, const std::string& value) {
    const auto refused = CheckReadOnlySettings({{"limit", "1"}, {name, value}}, {60, 1000, 500, 2});
    return refused ? refused->code : 0;
  }
};

TEST_F(ReadOnlySettingsTest, LimitsOnlyBecomeSmaller) {
  constexpr int kConstraint = 452;
  EXPECT_EQ(CodeOf("max_execution_time", "60"), 0);
  EXPECT_EQ(CodeOf("max_memory_usage", "999"), 0);
  EXPECT_EQ(CodeOf("max_result_bytes", "1"), 0);
  for (const char* value : {"0", "-1", "61", "", "1 ", "1e1", "0x1", "99999999999999999999", "1.5"}) {
    EXPECT_EQ(CodeOf("max_execution_time", value), kConstraint) << value;
  }
  EXPECT_EQ(CodeOf("max_threads", "3"), kConstraint);
}

TEST_F(ReadOnlySettingsTest, OnlyListedOnes) {
  EXPECT_EQ(CodeOf("join_use_nulls", "1"), 0);
  for (const char* name : {"readonly", "async_insert", "dialect", "format_schema", "JOIN_USE_NULLS", "", "x = 1, y"}) {
    EXPECT_EQ(CodeOf(name, "1"), kReadonly) << name;
  }
}

}  // namespace
}  // namespace novafeed
