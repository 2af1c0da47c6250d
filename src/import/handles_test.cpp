#include "import/handles.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/text.h"
#include "social/entities.h"

namespace novafeed {
namespace {

std::string FromExternal(const std::string& id) {
  return HandleFromId(*ParseImportId(IdKind::kUser, id));
}

// Takes `wanted` for `count` users, one after the other.
std::set<std::string> TakeMany(const std::string& wanted, int count) {
  std::set<std::string> taken;
  for (int i = 0; i < count; ++i) {
    taken.insert(NextFreeHandle(wanted, [&](const std::string& handle) { return taken.contains(handle); }));
  }
  return taken;
}

TEST(HandleFromId, IsTheIdAsFarAsItMakesAHandle) {
  EXPECT_EQ(FromExternal("alice"), "alice");
  EXPECT_EQ(FromExternal("C33E9F97-218b-5065-bcd3-e9170eace301"), "c33e9f97-218b-5065-bcd3-e9170eace301");
  EXPECT_EQ(FromExternal("a\nb\xe2\x80\xae"
                         "c"),
            "a_b_c");
  EXPECT_EQ(FromExternal(std::string(128, 'x')), std::string(64, 'x'));
  std::string umlauts;
  for (int i = 0; i < 64; ++i) umlauts += "\xc3\xa4";
  EXPECT_EQ(FromExternal(umlauts), umlauts);
}

TEST(NextFreeHandle, NumbersFromTwoOn) {
  EXPECT_EQ(TakeMany("bob", 4), (std::set<std::string>{"bob", "bob-2", "bob-3", "bob-4"}));
}

TEST(NextFreeHandle, NumbersManyWithoutGaps) {
  const std::set<std::string> taken = TakeMany("bob", 1000);
  EXPECT_EQ(taken.size(), 1000u);
  EXPECT_TRUE(taken.contains("bob-1000"));
}

TEST(NextFreeHandle, AsksFewTimes) {
  std::set<std::string> taken = TakeMany("bob", 1000);
  int asked = 0;
  NextFreeHandle("bob", [&](const std::string& handle) { return ++asked, taken.contains(handle); });
  EXPECT_LT(asked, 25);
}

TEST(NextFreeHandle, CutsToFit) {
  const std::string longest(kMaxHandleCodePoints, 'x');
  for (const std::string& handle : TakeMany(longest, 200)) {
    EXPECT_EQ(*CountCodePoints(handle), kMaxHandleCodePoints) << handle;
    EXPECT_TRUE(IsHandleFor(handle, longest)) << handle;
  }
}

TEST(IsHandleFor, KnowsNumberedHandles) {
  EXPECT_TRUE(IsHandleFor("bob", "bob"));
  EXPECT_TRUE(IsHandleFor("bob-2", "bob"));
  for (const char* other : {"bob-", "bob-1", "bob-02", "bob-x", "bo-2", "bob2", "bob-2 ", ""}) {
    EXPECT_FALSE(IsHandleFor(other, "bob")) << other;
  }
}

}  // namespace
}  // namespace novafeed
