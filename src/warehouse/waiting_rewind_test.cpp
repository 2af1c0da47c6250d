#include "warehouse/waiting_rewind.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace novafeed {
namespace {

SinkRewind Of(std::int64_t changes) {
  SinkRewind rewind;
  rewind.changes = changes;
  return rewind;
}

// What is landed again, in the order of the calls.
class WaitingRewindTest : public ::testing::Test {
 protected:
  Status Do() {
    return rewind_.Do([this](const SinkRewind& wanted) {
      landed_.push_back(wanted);
      return Status();
    });
  }

  WaitingRewind rewind_;
  std::vector<SinkRewind> landed_;
};

TEST_F(WaitingRewindTest, TwoThatWaitAreDoneTogether) {
  EXPECT_FALSE(rewind_.any());
  rewind_.Add(Of(7));
  SinkRewind other = Of(9);
  other.events = EventPoints({3, 7});
  rewind_.Add(other);
  other.changes.reset();
  other.events = EventPoints({5, 6});
  other.state = true;
  rewind_.Add(other);
  EXPECT_TRUE(rewind_.any());
  ASSERT_TRUE(Do());
  EXPECT_FALSE(rewind_.any());
  ASSERT_TRUE(Do());
  ASSERT_EQ(landed_.size(), 1);
  EXPECT_EQ(landed_[0].changes, 7);
  EXPECT_EQ(landed_[0].events, EventPoints({3, 6}));
  EXPECT_TRUE(landed_[0].state);
}

TEST_F(WaitingRewindTest, OneThatFailsWaitsOn) {
  rewind_.Add(Of(7));
  EXPECT_FALSE(rewind_.Do([](const SinkRewind&) { return Status(Fail(Failure::kUnavailable, "away", "")); }));
  const auto fail = [](const SinkRewind&) -> Status { throw std::runtime_error("away"); };
  EXPECT_THROW(static_cast<void>(rewind_.Do(fail)), std::runtime_error);
  EXPECT_TRUE(rewind_.any());
  ASSERT_TRUE(Do());
  EXPECT_FALSE(rewind_.any());
  EXPECT_EQ(landed_.at(0).changes, 7);
}

TEST_F(WaitingRewindTest, OneThatComesWhileAnotherIsDoneIsNotLost) {
  rewind_.Add(Of(7));
  ASSERT_TRUE(rewind_.Do([this](const SinkRewind&) {
    EXPECT_TRUE(rewind_.any()) << "it is being done";
    rewind_.Add(Of(5));
    return Status();
  }));
  EXPECT_TRUE(rewind_.any());
  ASSERT_TRUE(Do());
  EXPECT_EQ(landed_.at(0).changes, 5);
}

TEST_F(WaitingRewindTest, OneThatIsDroppedIsNotDone) {
  EXPECT_FALSE(rewind_.Drop());
  rewind_.Add(Of(7));
  EXPECT_TRUE(rewind_.Drop());
  ASSERT_TRUE(Do());
  EXPECT_TRUE(landed_.empty());
}

}  // namespace
}  // namespace novafeed
