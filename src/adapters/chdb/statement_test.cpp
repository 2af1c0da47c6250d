#include "adapters/chdb/statement.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace novafeed {
namespace {

std::vector<std::string> Tokens(std::string_view sql) {
  std::vector<std::string> tokens;
  SqlLexer lexer(sql);
  while (const auto token = lexer.Next()) tokens.emplace_back(token->text);
  return tokens;
}

using Texts = std::vector<std::string>;

TEST(SqlLexerTest, SplitsWordsNamesStringsAndCharacters) {
  EXPECT_EQ(Tokens("SELECT a1,`b c`.\"d\" FROM t"), (Texts{"SELECT", "a1", ",", "`b c`", ".", "\"d\"", "FROM", "t"}));
  EXPECT_EQ(Tokens("'it''s' 'a\\'b' `x``y`"), (Texts{"'it''s'", "'a\\'b'", "`x``y`"}));
  EXPECT_EQ(Tokens("0x1f 12.5"), (Texts{"0x1f", "12", ".", "5"}));
}

TEST(SqlLexerTest, LeavesOutBlanksAndComments) {
  EXPECT_EQ(Tokens(" a -- b\n c /* d\n e */ f # g\n#! h\n i"), (Texts{"a", "c", "f", "i"}));
  EXPECT_EQ(Tokens("a -- b"), (Texts{"a"}));
  EXPECT_EQ(Tokens("a /* b"), (Texts{"a"}));
}

TEST(SqlLexerTest, KnowsHeredocs) {
  EXPECT_EQ(Tokens("$x$ it's `$x$ b"), (Texts{"$x$ it's `$x$", "b"}));
  EXPECT_EQ(Tokens("$$ a $$"), (Texts{"$$ a $$"}));
  EXPECT_EQ(Tokens("$ a"), (Texts{"$", "a"}));
  EXPECT_EQ(Tokens("$x$ a"), (Texts{"$", "x$", "a"}));
}

TEST(SqlLexerTest, WhatDoesNotEndGoesToTheEnd) {
  EXPECT_EQ(Tokens("a 'b c"), (Texts{"a", "'b c"}));
  EXPECT_EQ(Tokens("a 'b\\"), (Texts{"a", "'b\\"}));
  EXPECT_EQ(Tokens(""), Texts{});
}

struct Insert {
  const char* sql;
  const char* head;
  const char* format;
  const char* data;
};

class InsertTest : public testing::TestWithParam<Insert> {};

TEST_P(InsertTest, DataAreFound) {
  const std::string sql = GetParam().sql;
  const StatementShape shape = DescribeStatement(sql);
  EXPECT_TRUE(shape.is_insert);
  EXPECT_FALSE(shape.is_select);
  ASSERT_TRUE(shape.data);
  EXPECT_EQ(sql.substr(0, shape.data->head_end), GetParam().head);
  EXPECT_EQ(shape.data->format, GetParam().format);
  EXPECT_EQ(sql.substr(shape.data->begin), GetParam().data);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, InsertTest,
    testing::Values(
        Insert{"INSERT INTO t FORMAT TSV\n1\t2", "INSERT INTO t ", "TSV", "1\t2"},
        Insert{"insert into t format tsv", "insert into t ", "tsv", ""},
        Insert{"INSERT INTO t FORMAT TSV \r\n\n1", "INSERT INTO t ", "TSV", "\n1"},
        Insert{"INSERT INTO t FORMAT TSV;\n1", "INSERT INTO t ", "TSV", "1"},
        Insert{"INSERT INTO t(a, format, values) FORMAT CSV 1", "INSERT INTO t(a, format, values) ", "CSV", "1"},
        Insert{"INSERT INTO db.values VALUES (1)", "INSERT INTO db.values ", "Values", " (1)"},
        Insert{"INSERT INTO TABLE `format` VALUES(1)", "INSERT INTO TABLE `format` ", "Values", "(1)"},
        Insert{"INSERT values VALUES(1)", "INSERT values ", "Values", "(1)"},
        Insert{"INSERT INTO t FORMAT Values (1)", "INSERT INTO t ", "Values", "(1)"},
        Insert{"INSERT INTO t SETTINGS a = 'FORMAT X' FORMAT CSV\n1", "INSERT INTO t SETTINGS a = 'FORMAT X' ", "CSV",
               "1"},
        Insert{"/* x */ INSERT INTO t -- VALUES\nVALUES (1)", "/* x */ INSERT INTO t -- VALUES\n", "Values", " (1)"},
        Insert{"INSERT INTO t FORMAT TSV\nINTO OUTFILE 'x'", "INSERT INTO t ", "TSV", "INTO OUTFILE 'x'"}));

TEST(StatementTest, AnInsertThatReadsHasNoData) {
  for (const char* sql : {"INSERT INTO t SELECT 1", "INSERT INTO t (a) SELECT 1 FORMAT TSV", "INSERT INTO t (SELECT 1)",
                          "INSERT INTO t WITH 1 AS x SELECT x", "INSERT INTO t", "INSERT INTO t FORMAT", "INSERT"}) {
    const StatementShape shape = DescribeStatement(sql);
    EXPECT_TRUE(shape.is_insert) << sql;
    EXPECT_FALSE(shape.data) << sql;
  }
}

TEST(StatementTest, TheFormatOfAnAnswerIsTheLastWord) {
  EXPECT_EQ(DescribeStatement("SELECT 1 FORMAT JSON").output_format, "JSON");
  EXPECT_EQ(DescribeStatement("SELECT 1 format JSON ; -- x").output_format, "JSON");
  EXPECT_EQ(DescribeStatement("SELECT 1 FORMAT JSON SETTINGS a = 1, b = 'x'").output_format, "JSON");
  EXPECT_EQ(DescribeStatement("SELECT 1 SETTINGS a = 1 FORMAT JSON").output_format, "JSON");
  EXPECT_EQ(DescribeStatement("SELECT 'FORMAT JSON'").output_format, "");
  EXPECT_EQ(DescribeStatement("SELECT format FROM t").output_format, "");
  EXPECT_EQ(DescribeStatement("SELECT (SELECT 1 FORMAT JSON)").output_format, "");
  EXPECT_EQ(DescribeStatement("SELECT 1").output_format, "");
}

TEST(StatementTest, FilesAreSeen) {
  EXPECT_TRUE(DescribeStatement("SELECT 1 INTO OUTFILE 'x'").names_file);
  EXPECT_TRUE(DescribeStatement("SELECT 1 into /* */ outfile 'x'").names_file);
  EXPECT_TRUE(DescribeStatement("INSERT INTO t FROM INFILE 'x' FORMAT CSV").names_file);
  EXPECT_TRUE(DescribeStatement("SELECT * FROM (SELECT 1 INTO OUTFILE 'x')").names_file);
  EXPECT_FALSE(DescribeStatement("SELECT 'INTO OUTFILE'").names_file);
  EXPECT_FALSE(DescribeStatement("INSERT INTO outfile VALUES (1)").names_file);
}

TEST(StatementTest, ASelectIsKnownByItsBeginning) {
  for (const char* sql : {"SELECT 1", "-- x\nselect 1", "WITH 1 AS x SELECT x", "(SELECT 1)", "FROM t SELECT 1"}) {
    EXPECT_TRUE(DescribeStatement(sql).is_select) << sql;
  }
  for (const char* sql : {"", "SHOW TABLES", "EXPLAIN SELECT 1", "CREATE TABLE t AS SELECT 1", "'SELECT'"}) {
    EXPECT_FALSE(DescribeStatement(sql).is_select) << sql;
  }
}

}  // namespace
}  // namespace novafeed
