// The tests that every adapter of Olap passes. For tests only. An adapter runs them by
//
//   const OlapFactory kFactory = {"clickhouse", [] { return OpenedOlap{...}; }};
//   INSTANTIATE_TEST_SUITE_P(ClickHouse, OlapContract, ::testing::Values(kFactory));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "warehouse/olap.h"

namespace novafeed {

// An engine that is up; it ends with the last copy of `owner`.
struct OpenedOlap {
  std::shared_ptr<void> owner;
  Olap* olap = nullptr;
};

struct OlapFactory {
  std::string name;
  std::function<OpenedOlap()> open;

  friend void PrintTo(const OlapFactory& factory, std::ostream* out) { *out << factory.name; }
};

class OlapContract : public ::testing::TestWithParam<OlapFactory> {
 protected:
  void SetUp() override {
    opened_ = GetParam().open();
    // Tests share the engine: each begins with tables of its own.
    ASSERT_TRUE(
        olap().Execute("CREATE DATABASE IF NOT EXISTS novafeed ENGINE = Atomic;"
                       "DROP TABLE IF EXISTS novafeed.contract_view;"
                       "DROP TABLE IF EXISTS novafeed.contract_landing;"
                       "DROP TABLE IF EXISTS novafeed.contract;",
                       {}, {}));
  }

  Olap& olap() { return *opened_.olap; }

  OlapRows Read(std::string_view sql, const OlapParams& params = {}) {
    Result<OlapRows> rows = olap().Query(sql, params, {});
    if (!rows) throw std::runtime_error(rows.error().code + ": " + rows.error().detail);
    return std::move(*rows);
  }
  void Run(std::string_view sql, const OlapParams& params = {}) {
    const Status done = olap().Execute(sql, params, {});
    ASSERT_TRUE(done) << done.error().detail;
  }
  std::string CodeOf(std::string_view sql, std::chrono::milliseconds deadline = std::chrono::seconds(5)) {
    OlapCall call;
    call.deadline = deadline;
    const Result<OlapRows> rows = olap().Query(sql, {}, call);
    return rows ? "" : rows.error().code;
  }

 private:
  OpenedOlap opened_;
};

TEST_P(OlapContract, GivesRowsInTheTypesOfTheirColumns) {
  OlapRows rows = Read(
      "SELECT toUInt8(7), toUInt16(300), toUInt32(70000), toUInt64(5000000000), toInt64(-3), 0.5,"
      " toUUID('00112233-4455-6677-8899-aabbccddeeff'), 'text', CAST(NULL, 'Nullable(Int64)'), [toInt64(1), 2] -- end");
  EXPECT_EQ(rows.UInt8(), 7);
  EXPECT_EQ(rows.UInt16(), 300);
  EXPECT_EQ(rows.UInt32(), 70'000U);
  EXPECT_EQ(rows.UInt64(), 5'000'000'000U);
  EXPECT_EQ(rows.Int64(), -3);
  EXPECT_EQ(rows.Float64(), 0.5);
  EXPECT_EQ(rows.Id().ToString(), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(rows.String(), "text");
  EXPECT_TRUE(rows.IsNull());
  ASSERT_EQ(rows.ArraySize(), 2U);
  EXPECT_EQ(rows.Int64(), 1);
  EXPECT_EQ(rows.Int64(), 2);
  EXPECT_TRUE(rows.AtEnd());
}

TEST_P(OlapContract, AnAnswerMayBeEmptyOrLong) {
  EXPECT_TRUE(Read("SELECT 1 WHERE 0").AtEnd());
  OlapRows rows = Read("SELECT number FROM numbers(100000)");
  for (std::uint64_t number = 0; number < 100'000; ++number) ASSERT_EQ(rows.UInt64(), number);
  EXPECT_TRUE(rows.AtEnd());
}

TEST_P(OlapContract, ParametersAreValuesWhateverTheyHold) {
  for (const std::string& text : {std::string("it's; DROP TABLE x --"), std::string("a\tb\nc\\d\\n\r"),
                                  std::string("Zoë %41 + & = ? #"), std::string()}) {
    EXPECT_EQ(Read("SELECT {text:String}", {{"text", text}}).String(), text);
  }
  EXPECT_EQ(Read("SELECT {id:UUID}", {{"id", "00112233-4455-6677-8899-aabbccddeeff"}}).Id().ToString(),
            "00112233-4455-6677-8899-aabbccddeeff");
}

TEST_P(OlapContract, CallsAtOnceKeepTheirParametersApart) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(12, 0);
  for (int caller = 0; caller < 12; ++caller) {
    threads.emplace_back([this, caller, &wrong] {
      for (int round = 0; round < 20; ++round) {
        const std::string mine = std::to_string(caller) + "/" + std::to_string(round);
        Result<OlapRows> rows = olap().Query("SELECT {mine:String}", {{"mine", mine}}, {});
        if (!rows || rows->String() != mine) ++wrong[static_cast<std::size_t>(caller)];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

TEST_P(OlapContract, RunsAScriptInOrderAndKeepsWhatCameBeforeAMistake) {
  const Status done = olap().Execute(
      "CREATE TABLE novafeed.contract (id UInt64, text String) ENGINE = MergeTree ORDER BY id; -- one; two\n"
      "INSERT INTO novafeed.contract SELECT 1, 'a;b';\n"
      "INSERT INTO novafeed.no_such_table SELECT 1;\n"
      "INSERT INTO novafeed.contract SELECT 2, 'never'",
      {}, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "olap_error");
  EXPECT_THAT(done.error().detail, ::testing::HasSubstr("no_such_table"));
  OlapRows rows = Read("SELECT id, text FROM novafeed.contract");
  EXPECT_EQ(rows.UInt64(), 1U);
  EXPECT_EQ(rows.String(), "a;b");
  EXPECT_TRUE(rows.AtEnd());
}

TEST_P(OlapContract, WhatWasInsertedHasPassedAllViews) {
  Run("CREATE TABLE novafeed.contract (line String) ENGINE = MergeTree ORDER BY line;"
      "CREATE TABLE novafeed.contract_landing (raw String) ENGINE = Null;"
      "CREATE MATERIALIZED VIEW novafeed.contract_view TO novafeed.contract AS"
      " SELECT upper(raw) AS line FROM novafeed.contract_landing");
  const Status landed = olap().Insert("novafeed.contract_landing", "LineAsString", "b; 'c'\n\na\n", {});
  ASSERT_TRUE(landed) << landed.error().detail;
  OlapRows rows = Read("SELECT line FROM novafeed.contract ORDER BY line");
  EXPECT_EQ(rows.String(), "");
  EXPECT_EQ(rows.String(), "A");
  EXPECT_EQ(rows.String(), "B; 'C'");
  EXPECT_TRUE(rows.AtEnd());
}

TEST_P(OlapContract, TakesRowsInOtherFormats) {
  Run("CREATE TABLE novafeed.contract (id UInt64, text String) ENGINE = MergeTree ORDER BY id");
  ASSERT_TRUE(olap().Insert("novafeed.contract", "JSONEachRow", R"({"id":1,"text":"x"})", {}));
  ASSERT_TRUE(olap().Insert("novafeed.contract", "RowBinary", std::string("\x02\0\0\0\0\0\0\0\x01y", 10), {}));
  OlapRows rows = Read("SELECT text FROM novafeed.contract ORDER BY id");
  EXPECT_EQ(rows.String(), "x");
  EXPECT_EQ(rows.String(), "y");
}

TEST_P(OlapContract, RefusesRowsThatDoNotFit) {
  Run("CREATE TABLE novafeed.contract (id UInt64) ENGINE = MergeTree ORDER BY id");
  const Status landed = olap().Insert("novafeed.contract", "JSONEachRow", R"({"id":"no number"})", {});
  ASSERT_FALSE(landed);
  EXPECT_EQ(landed.error().code, "olap_error");
  EXPECT_EQ(Read("SELECT count() FROM novafeed.contract").UInt64(), 0U);
}

TEST_P(OlapContract, SettingsHoldForOneCall) {
  OlapCall call;
  call.settings = {{"max_result_rows", "1"}};
  EXPECT_FALSE(olap().Query("SELECT number FROM numbers(10)", {}, call));
  EXPECT_TRUE(olap().Query("SELECT number FROM numbers(10)", {}, {}));
}

TEST_P(OlapContract, SaysWhatIsWrong) {
  const Result<OlapRows> rows = olap().Query("SELEKT 1", {}, {});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, "olap_error");
  EXPECT_THAT(rows.error().detail, ::testing::HasSubstr("Syntax error"));
  EXPECT_EQ(CodeOf("SELECT throwIf(number = 90000) FROM numbers(100000)"), "olap_error");
}

TEST_P(OlapContract, ACallEndsWithItsDeadline) {
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(
      CodeOf("SELECT sleepEachRow(0.1) FROM numbers(30) SETTINGS max_block_size = 1", std::chrono::milliseconds(300)),
      "olap_timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(2));
  EXPECT_EQ(CodeOf("SELECT 1"), "");  // and the next is answered with its own rows
}

}  // namespace novafeed
