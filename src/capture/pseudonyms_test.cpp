#include "capture/pseudonyms.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace novafeed {
namespace {

UserId UserNumber(int number) {
  return UserId{IdFromExternal(IdKind::kUser, std::to_string(number))};
}

const UserId kErased = UserNumber(1);
const UserId kOther = UserNumber(2);
const UserId kPseudonym = UserNumber(99);

Pseudonyms Names() {
  const Erasure erasure{kErased, kPseudonym, 0, true};
  return Pseudonyms(std::span(&erasure, 1));
}

template <class RowType>
std::optional<RowType> Hidden(RowType fields) {
  Row row = std::move(fields);
  if (!Names().Hide(&row)) return std::nullopt;
  return std::get<RowType>(row);
}

TEST(Pseudonyms, OfNobodyChangeNothing) {
  Row row = User{kErased, "ext", "ann", "Ann", 7};
  const Row before = row;
  EXPECT_FALSE(Pseudonyms().Hide(&row));
  EXPECT_EQ(row, before);
}

TEST(Pseudonyms, HideEverythingOfAUser) {
  EXPECT_EQ(Hidden(User{kErased, "ext", "ann", "Ann", 7}),
            (User{kPseudonym, std::nullopt, kPseudonym.ToString(), "", 7}));
  EXPECT_FALSE(Hidden(User{kOther, "ext", "bob", "Bob", 7}));
}

TEST(Pseudonyms, HideTheTextOfTheirPosts) {
  EXPECT_EQ(Hidden(Post{{}, "ext", kErased, "text", 7, 8}), (Post{{}, std::nullopt, kPseudonym, "", 7, 8}));
  EXPECT_FALSE(Hidden(Post{{}, "ext", kOther, "text", 7, {}}));
}

TEST(Pseudonyms, KeepWhatOthersWroteUnderTheirPosts) {
  EXPECT_EQ(Hidden(Comment{{}, "ext", {}, kOther, kErased, 1, "mine", 2, 3}),
            (Comment{{}, "ext", {}, kOther, kPseudonym, 1, "mine", 2, 3}));
  EXPECT_EQ(Hidden(Comment{{}, "ext", {}, kErased, kOther, 1, "theirs", 2, 3}),
            (Comment{{}, std::nullopt, {}, kPseudonym, kOther, 1, "", 2, 3}));
  EXPECT_EQ(Hidden(Comment{{}, "ext", {}, kErased, kErased, 1, "theirs", 2, 3}),
            (Comment{{}, std::nullopt, {}, kPseudonym, kPseudonym, 1, "", 2, 3}));
}

TEST(Pseudonyms, StandOnBothSidesOfLikesAndFollows) {
  EXPECT_EQ(Hidden(Like{kErased, {}, kErased, 1, 2, 3}), (Like{kPseudonym, {}, kPseudonym, 1, 2, 3}));
  EXPECT_EQ(Hidden(Like{kOther, {}, kErased, 1, 2, 3}), (Like{kOther, {}, kPseudonym, 1, 2, 3}));
  EXPECT_EQ(Hidden(Follow{kOther, kErased, 1, 2}), (Follow{kOther, kPseudonym, 1, 2}));
  EXPECT_EQ(Hidden(Follow{kErased, kOther, 1, 2}), (Follow{kPseudonym, kOther, 1, 2}));
  EXPECT_FALSE(Hidden(Follow{kOther, kOther, 1, 2}));
}

TEST(Pseudonyms, StandInEvents) {
  Event event{kErased, EventType::kShare, {}, 5, {}, kErased, 4};
  EXPECT_TRUE(Names().Hide(&event));
  EXPECT_EQ(event, (Event{kPseudonym, EventType::kShare, {}, 5, {}, kPseudonym, 4}));
  EXPECT_FALSE(Names().Hide(&event));
}

}  // namespace
}  // namespace novafeed
