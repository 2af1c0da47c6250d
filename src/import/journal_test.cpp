#include "import/journal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace novafeed {
namespace {

Mark MarkAt(std::int64_t lines) {
  return {lines * 10, lines, Sha256Hex(std::to_string(lines))};
}

ImportPoint PointAt(std::int64_t events, std::int64_t applied, bool complete = false) {
  ImportPoint point;
  point.events = MarkAt(events);
  point.applied = MarkAt(applied);
  point.complete = complete;
  return point;
}

TEST(Journal, PointsSurviveBeingWritten) {
  ImportPoint point = PointAt(10, 30);
  point.without_event = {12, 29};
  point.shift = -123'456'789'012;
  point.tail = Sha256Hex("tail");
  point.rejected = 7;
  point.tail_rejected = true;
  const std::vector<ImportPoint> points = {point, PointAt(7, 7, true), StartPoint(5)};
  EXPECT_EQ(DecodePoints(EncodePoints(points)), points);
  EXPECT_EQ(DecodePoints("[]"), std::vector<ImportPoint>());
}

TEST(Journal, DamagedPointsAreAnError) {
  const std::string good = EncodePoints({PointAt(1, 2)});
  for (const std::string& bad : {std::string(), std::string("{}"), std::string("[1]"), good.substr(1)}) {
    const auto points = DecodePoints(bad);
    ASSERT_FALSE(points) << bad;
    EXPECT_EQ(points.error().code, "bad_journal");
  }
}

TEST(FindPlace, StartsNewFilesAtTheirBeginning) {
  const auto place = FindPlace({}, StartMark(), MarkAt(5));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->point, BatchPlace::kNewFile);
  EXPECT_EQ(place->role, BatchRole::kApply);
}

TEST(FindPlace, GoesOnBehindWhatIsApplied) {
  const std::vector<ImportPoint> points = {PointAt(5, 5, true), PointAt(5, 9)};
  const auto place = FindPlace(points, MarkAt(9), MarkAt(12));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->point, 1u);
  EXPECT_EQ(place->role, BatchRole::kApply);
}

TEST(FindPlace, ReplaysWhatMayLackItsEvents) {
  const auto place = FindPlace({PointAt(5, 9)}, MarkAt(5), MarkAt(9));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->point, 0u);
  EXPECT_EQ(place->role, BatchRole::kReplayEvents);
}

TEST(FindPlace, RefusesBatchesThatFollowNothing) {
  for (const Mark& start : {MarkAt(4), MarkAt(5), MarkAt(12)}) {
    const auto place = FindPlace({PointAt(5, 9)}, start, MarkAt(20));
    ASSERT_FALSE(place);
    EXPECT_EQ(place.error().code, "import_out_of_step");
  }
}

TEST(AdvancePoint, ReplacesPointsOnTheWayAndKeepsEnds) {
  std::vector<ImportPoint> points = {PointAt(5, 5, true)};
  AdvancePoint(points, *FindPlace(points, MarkAt(5), MarkAt(9)), PointAt(5, 9));
  EXPECT_EQ(points, (std::vector<ImportPoint>{PointAt(5, 5, true), PointAt(5, 9)}));
  AdvancePoint(points, *FindPlace(points, MarkAt(9), MarkAt(12)), PointAt(9, 12));
  EXPECT_EQ(points, (std::vector<ImportPoint>{PointAt(5, 5, true), PointAt(9, 12)}));
}

TEST(AdvancePoint, ForgetsTheOldestEndsOfTooMany) {
  std::vector<ImportPoint> points = {PointAt(0, 1)};
  for (int i = 100; i < 250; ++i) AdvancePoint(points, {}, PointAt(i, i, true));
  EXPECT_EQ(points.size(), 50u);
  EXPECT_EQ(points[0], PointAt(0, 1)) << "an import that is under way is not forgotten";
  EXPECT_EQ(points[1], PointAt(201, 201, true));
  EXPECT_EQ(points.back(), PointAt(249, 249, true));
}

TEST(AdvancePoint, KeepsAllThatAreUnderWay) {
  std::vector<ImportPoint> points;
  for (int i = 0; i < 60; ++i) AdvancePoint(points, {}, PointAt(i, i + 1));
  EXPECT_EQ(points.size(), 60u);
}

}  // namespace
}  // namespace novafeed
