#include "base/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "base/test_support.h"

namespace novafeed {
namespace {

std::string Written(double number) {
  std::string text;
  JsonWriter(&text).Double(number);
  return text;
}

TEST(JsonWriter, PlacesCommasInAnyNesting) {
  std::string text;
  JsonWriter writer(&text);
  writer.BeginObject().Key("a").BeginArray().Int(1).Int(-2).BeginObject().EndObject().BeginArray().EndArray();
  writer.EndArray().Key("b").Bool(true).Key("c").Null().Key("d").Raw("{\"x\":1}").Key("e").String("");
  writer.EndObject();
  EXPECT_EQ(text, R"({"a":[1,-2,{},[]],"b":true,"c":null,"d":{"x":1},"e":""})");
}

TEST(JsonWriter, EscapesWhatJsonMustEscape) {
  std::string text;
  JsonWriter(&text).String(std::string("\"\\\n\r\t\b\0\x1f/\u00e9<\x7f", 13));
  EXPECT_EQ(text, "\"\\\"\\\\\\n\\r\\t\\u0008\\u0000\\u001f/\u00e9<\\u007f\"");
}

TEST(JsonWriter, AppendsToWhatIsThere) {
  std::string text = "x";
  JsonWriter(&text).Int(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(text, "x-9223372036854775808");
}

TEST(JsonWriter, NonFiniteNumbersBecomeNull) {
  EXPECT_EQ(Written(std::nan("")), "null");
  EXPECT_EQ(Written(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(Written(-std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonWriter, EveryDoubleReadsBackEqual) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 20'000; ++round) {
    const auto number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    const std::string text = Written(number);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), number) << text;
    ASSERT_TRUE(ParseJson(text)) << text;
  }
  EXPECT_EQ(Written(0.1), "0.1");
}

TEST(JsonWriter, EveryStringReadsBackEqual) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 50, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 128);
    std::string text;
    JsonWriter(&text).String(bytes);
    const auto parsed = ParseJson(text);
    ASSERT_TRUE(parsed) << text;
    ASSERT_EQ(std::string_view(parsed->as_string()), bytes);
  }
}

TEST(ParseJson, SaysWhereItIsMalformed) {
  for (const char* bad : {"", "{", "[1,]", "{\"a\":1,}", "nul", "1 2", "{}x", "'a'", "\"\xff\"", "\"\\ud800\"", "01",
                          "\"a\nb\"", "NaN", "// comment\n1"}) {
    const auto parsed = ParseJson(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().failure, Failure::kInvalid);
    EXPECT_EQ(parsed.error().code, "malformed_json");
  }
  EXPECT_NE(ParseJson("[1,2,x]").error().detail.find("byte 5"), std::string::npos)
      << ParseJson("[1,2,x]").error().detail;
}

TEST(ParseJson, TakesBlanksAroundTheDocument) {
  EXPECT_TRUE(ParseJson(" \n{\"a\": [1]}\r\n "));
}

TEST(ParseJson, LimitsTheDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(ParseJson(nested(16)));
  EXPECT_FALSE(ParseJson(nested(17)));
  EXPECT_TRUE(ParseJson(nested(17), {.max_depth = 17}));
  EXPECT_FALSE(ParseJson(nested(1'000'000))) << "and the stack holds";
}

TEST(ParseJson, OfEqualKeysTheLastWins) {
  const auto parsed = ParseJson(R"({"a":1,"b":2,"a":3})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->as_object().size(), 2u);
  EXPECT_EQ(parsed->as_object().at("a"), 3);
}

TEST(ParseJson, SurvivesRandomBytes) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 20'000; ++round) {
    std::string text = R"({"events":[{"at":1700000000000,"x":-1.5e3,"y":"\u00e9\n"},null,true]})";
    for (std::uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    (void)ParseJson(text);
  }
}

class JsonFieldsTest : public testing::Test {
 protected:
  const boost::json::value object_ =
      ParseJson(R"({"text":"hi","count":7,"big":9223372036854775808,"half":1.5,"none":null,"list":[]})").value();
  JsonFields fields_{object_};
};

TEST_F(JsonFieldsTest, ReadsByType) {
  EXPECT_EQ(fields_.RequireString("text").value(), "hi");
  EXPECT_EQ(fields_.RequireInt("count").value(), 7);
  EXPECT_EQ(fields_.OptionalString("text").value(), "hi");
  EXPECT_EQ(fields_.OptionalInt("count").value(), 7);
}

TEST_F(JsonFieldsTest, AbsentAndNullAreNotThere) {
  EXPECT_EQ(fields_.OptionalString("absent").value(), std::nullopt);
  EXPECT_EQ(fields_.OptionalInt("none").value(), std::nullopt);
  EXPECT_EQ(fields_.RequireString("absent").error().code, "missing_field");
  EXPECT_EQ(fields_.RequireInt("none").error().code, "missing_field");
  EXPECT_EQ(fields_.Find("absent"), nullptr);
}

TEST_F(JsonFieldsTest, AnotherTypeIsRefusedByName) {
  for (const char* field : {"text", "big", "half", "list"}) {
    const auto read = fields_.RequireInt(field);
    ASSERT_FALSE(read) << field;
    EXPECT_EQ(read.error().failure, Failure::kUnprocessable);
    EXPECT_EQ(read.error().code, "wrong_type");
    EXPECT_NE(read.error().detail.find(field), std::string::npos);
  }
  EXPECT_EQ(fields_.RequireString("count").error().code, "wrong_type");
}

TEST_F(JsonFieldsTest, RefusesWhatNobodyHasRead) {
  for (const char* field : {"text", "count", "big", "half", "none"}) (void)fields_.Find(field);
  const Status others = fields_.RefuseOthers();
  ASSERT_FALSE(others);
  EXPECT_EQ(others.error().code, "unknown_field");
  EXPECT_NE(others.error().detail.find("\"list\""), std::string::npos);
  (void)fields_.Find("list");
  EXPECT_TRUE(fields_.RefuseOthers());
}

TEST(JsonFields, WhatIsNoObjectFailsEveryRead) {
  const boost::json::value array = ParseJson("[1]").value();
  JsonFields fields(array);
  EXPECT_EQ(fields.RequireString("a").error().code, "wrong_type");
  EXPECT_EQ(fields.OptionalInt("a").error().code, "wrong_type");
  EXPECT_EQ(fields.Find("a"), nullptr);
  EXPECT_EQ(fields.RefuseOthers().error().code, "wrong_type");
}

}  // namespace
}  // namespace novafeed
