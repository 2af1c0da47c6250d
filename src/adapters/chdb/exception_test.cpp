#include "adapters/chdb/exception.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

TEST(ClickHouseErrorTest, TheNumberIsReadFromTheText) {
  EXPECT_EQ(ReadClickHouseError("Code: 62. DB::Exception: x").code, 62);
  EXPECT_EQ(ReadClickHouseError("Code: 241. DB::Exception: Code: 62. x").code, 241);
  EXPECT_EQ(ReadClickHouseError("no number").code, 1002);
  EXPECT_EQ(ReadClickHouseError("Code: x").code, 1002);
  EXPECT_EQ(ReadClickHouseError("").code, 1002);
}

TEST(ClickHouseErrorTest, OursLookLikeTheEngines) {
  const ClickHouseError error = MakeClickHouseError(ClickHouseCode::kReadonly, "No.");
  EXPECT_EQ(error.code, 164);
  EXPECT_EQ(error.text, "Code: 164. DB::Exception: No. (READONLY)");
}

TEST(ClickHouseErrorTest, StatusesAreThoseOfTheServer) {
  EXPECT_EQ(HttpStatusOf(62), 400);
  EXPECT_EQ(HttpStatusOf(27), 400);
  EXPECT_EQ(HttpStatusOf(194), 401);
  EXPECT_EQ(HttpStatusOf(516), 403);
  EXPECT_EQ(HttpStatusOf(497), 403);
  EXPECT_EQ(HttpStatusOf(60), 404);
  EXPECT_EQ(HttpStatusOf(159), 408);
  EXPECT_EQ(HttpStatusOf(229), 413);
  EXPECT_EQ(HttpStatusOf(48), 501);
  EXPECT_EQ(HttpStatusOf(209), 503);
  EXPECT_EQ(HttpStatusOf(164), 500);
  EXPECT_EQ(HttpStatusOf(241), 500);
  EXPECT_EQ(HttpStatusOf(396), 500);
}

}  // namespace
}  // namespace novafeed
