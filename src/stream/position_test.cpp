#include "stream/position.h"

#include <gtest/gtest.h>

#include <cctype>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/test_support.h"
#include "base/text.h"

namespace novafeed {
namespace {

const std::string kGeneration = "018f0000-0000-7000-9000-000000000004";
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

EventPoints AllAt(std::int64_t point) {
  return EventPoints(std::vector(kMaxEventPartitions, point));
}

TEST(EventPoints, AreZeroWhereNothingWasSaid) {
  EventPoints points{5, 0, 7};
  EXPECT_EQ(points[2], 7);
  EXPECT_EQ(points[3], 0);
  EXPECT_EQ(points.Total(), 12);
  EXPECT_EQ(points.List(), (std::vector<std::int64_t>{5, 0, 7}));
  EXPECT_EQ(points, (EventPoints{5, 0, 7, 0}));
  points[2] = 0;
  EXPECT_EQ(points, EventPoints{5});
  EXPECT_TRUE(EventPoints().List().empty());
}

TEST(EventPoints, ThereAreNoMoreThanFit) {
  EXPECT_EQ(AllAt(1).Total(), static_cast<std::int64_t>(kMaxEventPartitions));
  EXPECT_THROW(EventPoints(std::vector<std::int64_t>(kMaxEventPartitions + 1)), std::out_of_range);
  EXPECT_THROW(EventPoints()[kMaxEventPartitions] = 1, std::out_of_range);
}

TEST(EventPoints, GoByPartition) {
  const EventPoints a{5, 1};
  const EventPoints b{2, 4, 3};
  EXPECT_EQ(Union(a, b), (EventPoints{5, 4, 3}));
  EXPECT_EQ(Least(a, b), (EventPoints{2, 1}));
  EXPECT_FALSE(Reached(a, b));
  EXPECT_FALSE(Reached(b, a)) << "neither is before the other";
  EXPECT_TRUE(Reached(a, Union(a, b)));
  EXPECT_TRUE(Reached(Least(a, b), a));
}

TEST(EventPoints, AreShownByPartition) {
  EXPECT_EQ(Describe(EventPoints{}), "0");
  EXPECT_EQ(Describe(EventPoints{7}), "7");
  EXPECT_EQ(Describe(EventPoints{7, 0, 2}), "7, 0, 2");
}

TEST(Position, ReadsBackEqual) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 1000; ++i) {
    const int shift = static_cast<int>(random() % 63);
    Position position{kGeneration, static_cast<std::int64_t>(random() >> (1 + shift)), {}};
    for (std::size_t partition = random() % (kMaxEventPartitions + 1); partition > 0; --partition) {
      position.events[partition - 1] = static_cast<std::int64_t>(random() >> (1 + shift));
    }
    const std::string text = EncodePosition(position);
    for (const char c : text) {
      EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') << text;
    }
    EXPECT_EQ(DecodePosition(text, kGeneration).value(), position);
  }
}

TEST(Position, IsShort) {
  const Position greatest{kGeneration, kMost, AllAt(kMost)};
  EXPECT_LT(EncodePosition(greatest).size(), 256u);
  EXPECT_EQ(DecodePosition(EncodePosition(greatest), kGeneration).value(), greatest);
  Position usual{kGeneration, 1'000'000'000, {}};
  for (std::size_t partition = 0; partition < 12; ++partition) usual.events[partition] = 1'000'000'000;
  EXPECT_LT(EncodePosition(usual).size(), 128u);
}

TEST(Position, OfAnotherGenerationIsSaidToBeSo) {
  const auto read = DecodePosition(EncodePosition({kGeneration, 5, {6}}), "another");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().failure, Failure::kInvalid);
  EXPECT_EQ(read.error().code, "other_generation");
}

TEST(Position, AnythingElseIsRefused) {
  const std::string good = EncodePosition({kGeneration, 5, {6, 7}});
  for (const std::string& bad : {std::string(), std::string("5"), good + "A", good + "AAAA", good.substr(1), good + "=",
                                 std::string(64, '-'), "!" + good.substr(1), EncodeBase64Url(std::string(25, '\0'))}) {
    const auto read = DecodePosition(bad, kGeneration);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, "bad_position") << bad;
  }
  const std::string bytes = *DecodeBase64Url(good);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodePosition(EncodeBase64Url(bytes.substr(0, size)), kGeneration)) << "cut at " << size;
  }
  EXPECT_FALSE(DecodePosition(EncodePosition({kGeneration, -1, {}}), kGeneration));
  EXPECT_FALSE(DecodePosition(EncodePosition({kGeneration, 0, {3, -1}}), kGeneration));
}

TEST(Position, OfMorePartitionsThanThereAreIsRefused) {
  const std::string good = *DecodeBase64Url(EncodePosition({kGeneration, 5, AllAt(1)}));
  std::string more = good;
  ++more[more.size() - kMaxEventPartitions - 1];  // their number, before them
  more += more.back();
  EXPECT_TRUE(DecodePosition(EncodeBase64Url(good), kGeneration));
  EXPECT_FALSE(DecodePosition(EncodeBase64Url(more), kGeneration));
}

TEST(Position, AUnionIsTheFarthestOfEachStream) {
  const Position a = {kGeneration, 5, {9, 1}};
  const Position b = {kGeneration, 7, {2, 3}};
  EXPECT_EQ(Union(a, b), (Position{kGeneration, 7, {9, 3}}));
  EXPECT_EQ(Union(a, Position{}), a);
  EXPECT_EQ(Union(Position{}, a), a);
  EXPECT_THROW(Union(a, {"another", 1, {1}}), std::logic_error);
}

TEST(Position, IsReachedWhenEachStreamIs) {
  const Position applied = {kGeneration, 5, {9, 2}};
  EXPECT_TRUE(Reached({kGeneration, 5, {9, 2}}, applied));
  EXPECT_TRUE(Reached({kGeneration, 0, {}}, applied));
  EXPECT_FALSE(Reached({kGeneration, 6, {}}, applied));
  EXPECT_FALSE(Reached({kGeneration, 0, {10}}, applied));
  EXPECT_FALSE(Reached({kGeneration, 0, {0, 3}}, applied));
  EXPECT_FALSE(Reached({kGeneration, 0, {0, 0, 1}}, applied));
  EXPECT_FALSE(Reached({"another", 1, {1}}, applied));
  EXPECT_TRUE(Reached(Position{}, applied));
}

TEST(Position, IsRenderedWithTheTotalOfItsEvents) {
  std::string text;
  JsonWriter json(&text);
  RenderPosition({kGeneration, 5, {9, 0, 2}}, &json);
  EXPECT_EQ(text, R"({"changes":5,"events":11,"event_points":[9,0,2]})");
}

}  // namespace
}  // namespace novafeed
