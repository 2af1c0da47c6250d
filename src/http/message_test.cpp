#include "http/message.h"

#include <gtest/gtest.h>

#include <random>

#include "base/test_support.h"

namespace novafeed {
namespace {

TEST(DecodePercent, DecodesEscapesAndLeavesTheRest) {
  EXPECT_EQ(DecodePercent("a%20b%2Fc%c3%A9"), "a b/c\u00e9");
  EXPECT_EQ(DecodePercent(""), "");
  EXPECT_EQ(DecodePercent("a+b"), "a+b");
  EXPECT_EQ(DecodePercent("a+b%2B", true), "a b+");
}

TEST(DecodePercent, RefusesBrokenEscapesAndWhatIsNotUtf8) {
  for (const char* bad : {"%", "%4", "%4g", "%g4", "a%", "%%41", "%ff", "%c3", "%ed%a0%80", "\xff"}) {
    EXPECT_EQ(DecodePercent(bad), std::nullopt) << bad;
  }
}

TEST(DecodePercent, AnyTextSurvivesEscaping) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 1000; ++round) {
    std::string text(random() % 30, '\0');
    for (char& c : text) c = static_cast<char>(random() % 128);
    std::string escaped;
    for (const char c : text) {
      escaped += "%";
      escaped += "0123456789abcdef"[c >> 4];
      escaped += "0123456789ABCDEF"[c & 15];
    }
    ASSERT_EQ(DecodePercent(escaped), text);
  }
}

TEST(QueryParams, KeepsOrderAndRepetitions) {
  const auto params = QueryParams::Parse("a=1&b=x%26y+z&&a=2&empty=&bare&=v");
  ASSERT_TRUE(params);
  EXPECT_EQ(params->Get("a"), "1");
  EXPECT_EQ(params->GetAll("a"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(params->Get("b"), "x&y z");
  EXPECT_EQ(params->Get("empty"), "");
  EXPECT_EQ(params->Get("bare"), "");
  EXPECT_EQ(params->Get(""), "v");
  EXPECT_EQ(params->Get("absent"), std::nullopt);
  EXPECT_EQ(params->all().size(), 6u);
  EXPECT_TRUE(QueryParams::Parse("")->all().empty());
  EXPECT_EQ(QueryParams::Parse("a=b=c")->Get("a"), "b=c");
}

TEST(QueryParams, RefusesBrokenEscapesInNamesAndValues) {
  EXPECT_FALSE(QueryParams::Parse("a=%"));
  EXPECT_FALSE(QueryParams::Parse("%zz=1"));
  EXPECT_FALSE(QueryParams::Parse("a=%ff"));
}

TEST(HttpRequest, FindsHeadersWithoutCase) {
  HttpRequest request;
  request.headers = {{"Accept", "a"}, {"X-Id", "1"}, {"x-iD", "2"}};
  EXPECT_EQ(request.Header("ACCEPT"), "a");
  EXPECT_EQ(request.Header("x-id"), "1");
  EXPECT_EQ(request.AllHeaders("X-ID"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(request.Header("x-i"), "");
  EXPECT_TRUE(request.AllHeaders("absent").empty());
}

TEST(MethodName, IsWhatStandsInARequest) {
  EXPECT_EQ(MethodName(Method::kGet), "GET");
  EXPECT_EQ(MethodName(Method::kDelete), "DELETE");
  EXPECT_EQ(MethodName(Method::kPatch), "PATCH");
}

TEST(MessageTest, EncodedTextIsDecodedToItself) {
  EXPECT_EQ(EncodePercent("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(EncodePercent(" &=+%/\n\xc3\xa9"), "%20%26%3D%2B%25%2F%0A%C3%A9");
  EXPECT_EQ(DecodePercent(EncodePercent("a b&c=d+e%f\xc3\xa9"), true), "a b&c=d+e%f\xc3\xa9");
}

}  // namespace
}  // namespace novafeed
