#include "capture/purged_names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph/retired.h"

namespace novafeed {
namespace {

UserId UserNumber(int number) {
  return UserId{IdFromExternal(IdKind::kUser, std::to_string(number))};
}

PurgedUser Purged(int user, int pseudonym) {
  return {1, RetiredDigest(RetiredKind::kUser, UserNumber(user).value), UserNumber(pseudonym), 0};
}

Event By(int user, int author) {
  Event event;
  event.user = UserNumber(user);
  event.post_author = UserNumber(author);
  return event;
}

TEST(PurgedNames, OfNobodyChangeNothing) {
  const PurgedNames names;
  Event event = By(1, 2);
  EXPECT_FALSE(names.Hide(&event));
  EXPECT_EQ(event.user, UserNumber(1));
  EXPECT_TRUE(names.Among(std::vector{UserNumber(1)}).empty());
}

TEST(PurgedNames, StandInEventsOnBothSides) {
  const PurgedNames names(std::vector{Purged(1, 101), Purged(2, 102)});
  Event event = By(1, 2);
  EXPECT_TRUE(names.Hide(&event));
  EXPECT_EQ(event.user, UserNumber(101));
  EXPECT_EQ(event.post_author, UserNumber(102));
  Event author = By(3, 2);
  EXPECT_TRUE(names.Hide(&author));
  EXPECT_EQ(author.user, UserNumber(3));
  Event other = By(3, 4);
  EXPECT_FALSE(names.Hide(&other));
}

TEST(PurgedNames, AreFoundAmongUsersAndTheLastPseudonymHolds) {
  PurgedNames names(std::vector{Purged(1, 101)});
  names.Add(std::vector{Purged(1, 201), Purged(2, 102)});
  const std::vector<Erasure> found = names.Among(std::vector{UserNumber(3), UserNumber(1)});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].user, UserNumber(1));
  EXPECT_EQ(found[0].pseudonym, UserNumber(201));
}

}  // namespace
}  // namespace novafeed
