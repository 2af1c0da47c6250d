#include "warehouse/freshness.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

TEST(Freshness, IsTheLastTimeWhoseEndIsReached) {
  Freshness<int> freshness;
  int reached = 0;
  const auto as_of = [&] { return freshness.AsOf([&](int end) { return end <= reached; }); };
  EXPECT_EQ(as_of(), 0);
  freshness.Note(1000, 5);
  freshness.Note(2000, 9);
  EXPECT_EQ(as_of(), 0);
  reached = 7;
  EXPECT_EQ(as_of(), 1000);
  reached = 9;
  EXPECT_EQ(as_of(), 2000);
  freshness.Note(3000, 9);
  EXPECT_EQ(as_of(), 3000) << "nothing has come since";
}

TEST(Freshness, AnEndThatRestsIsOfTheLaterTime) {
  Freshness<int> freshness;
  freshness.Note(1000, 5);
  freshness.Note(9000, 5);
  EXPECT_EQ(freshness.AsOf([](int end) { return end <= 5; }), 9000);
}

}  // namespace
}  // namespace novafeed
