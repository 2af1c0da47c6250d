#include "api/recent_subjects.h"

#include <gtest/gtest.h>

namespace novafeed {
namespace {

TEST(RecentSubjects, RemembersForASecond) {
  RecentSubjects recent;
  const UserId ada{NewUuid(1)};
  EXPECT_FALSE(recent.Has(ada, 5000));
  recent.Add(ada, 5000);
  EXPECT_TRUE(recent.Has(ada, 5999));
  EXPECT_FALSE(recent.Has(ada, 6000));
  EXPECT_FALSE(recent.Has(UserId{NewUuid(2)}, 5000));
}

TEST(RecentSubjects, RemembersForLongWhatIsNotForgotten) {
  RecentSubjects recent;
  const UserId ada{NewUuid(1)};
  EXPECT_FALSE(recent.Remembers(ada));
  recent.Add(ada, 5000);
  EXPECT_TRUE(recent.Remembers(ada));
  recent.Forget(ada);
  EXPECT_FALSE(recent.Remembers(ada));
  EXPECT_FALSE(recent.Has(ada, 5000));
}

TEST(RecentSubjects, HoldsABoundedNumber) {
  RecentSubjects recent;
  const UserId first{NewUuid(1)};
  recent.Add(first, 1);
  for (std::size_t i = 0; i < RecentSubjects::kMost; ++i) recent.Add(UserId{NewUuid(2)}, 1);
  EXPECT_FALSE(recent.Has(first, 1));
}

}  // namespace
}  // namespace novafeed
