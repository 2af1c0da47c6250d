#include "warehouse/refresh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "warehouse/fake_olap.h"

namespace novafeed {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;

TEST(SliceUuids, CoversAllIdsInTheOrderOfTheirSecondHalves) {
  EXPECT_THAT(SliceUuids(1),
              ElementsAre(FieldsAre("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")));
  EXPECT_THAT(SliceUuids(4),
              ElementsAre(FieldsAre("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-8fff-ffffffffffff"),
                          FieldsAre("00000000-0000-0000-9000-000000000000", "ffffffff-ffff-ffff-9fff-ffffffffffff"),
                          FieldsAre("00000000-0000-0000-a000-000000000000", "ffffffff-ffff-ffff-afff-ffffffffffff"),
                          FieldsAre("00000000-0000-0000-b000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")));
}

TEST(SettleTouched, DoesNothingWhereNothingWasTouched) {
  testing::FakeOlap olap;
  ASSERT_TRUE(SettleTouched(&olap, 1));
  EXPECT_EQ(olap.refreshes(), 0U);
  ASSERT_TRUE(olap.Insert(LandingLinesOf(5), "LineAsString", "x\n", {}));
  ASSERT_TRUE(SettleTouched(&olap, 2));
  ASSERT_TRUE(SettleTouched(&olap, 3));
  EXPECT_EQ(olap.refreshes(), 1U);
}

}  // namespace
}  // namespace novafeed
