#include "timeline/cursor.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>
#include <vector>

#include "base/text.h"

namespace novafeed {
namespace {

const UserId kViewer{NewUuid(1)};

PostId RandomPost() {
  return PostId{NewUuid(1)};
}

WalkState RandomWalk(std::size_t served) {
  WalkState walk;
  walk.as_of = 1'700'000'000'123;
  walk.started_at = 1'700'000'000'456;
  walk.salt = std::random_device()();
  walk.position = Position{"g", 123'456'789'012, {5, 0, 78'901}};
  for (std::size_t i = 0; i < served; ++i) walk.served.push_back(walk.HashOf(RandomPost()));
  return walk;
}

class CursorTest : public ::testing::Test {
 protected:
  CursorCodec codec_{std::string(32, 'k'), "g"};
};

TEST_F(CursorTest, AWalkComesBackWhole) {
  for (const std::size_t served : {std::size_t{0}, std::size_t{1}, std::size_t{100}, kMaxServed}) {
    const WalkState walk = RandomWalk(served);
    const Result<WalkState> read = codec_.DecodeWalk(codec_.Encode(walk, kViewer), kViewer);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->as_of, walk.as_of);
    EXPECT_EQ(read->started_at, walk.started_at);
    EXPECT_EQ(read->salt, walk.salt);
    EXPECT_EQ(read->position, walk.position);
    EXPECT_EQ(read->served, walk.served);
  }
}

TEST_F(CursorTest, AFullWalkFitsIntoFourKilobytesWhateverItsPosition) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  WalkState walk = RandomWalk(kMaxServed);
  walk.position = Position{"g", kMost, EventPoints(std::vector(kMaxEventPartitions, kMost))};
  const std::string cursor = codec_.Encode(walk, kViewer);
  EXPECT_LE(cursor.size(), 4096U);
  EXPECT_EQ(codec_.DecodeWalk(cursor, kViewer)->position, walk.position);
}

TEST_F(CursorTest, APlaceComesBackWhole) {
  const FollowingPlace place{1, 2, RandomPost(), Position{"g", 3, {4, 5}}};
  const Result<FollowingPlace> read = codec_.DecodeFollowing(codec_.Encode(place, kViewer), kViewer);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->as_of, place.as_of);
  EXPECT_EQ(read->created_at, place.created_at);
  EXPECT_EQ(read->id, place.id);
  EXPECT_EQ(read->position, place.position);
}

TEST_F(CursorTest, AnotherViewerModeKeyOrDataSetCannotOpenIt) {
  const std::string cursor = codec_.Encode(RandomWalk(3), kViewer);
  EXPECT_FALSE(codec_.DecodeWalk(cursor, UserId{NewUuid(1)}));
  EXPECT_FALSE(codec_.DecodeFollowing(cursor, kViewer));
  EXPECT_FALSE(CursorCodec(std::string(32, 'x'), "g").DecodeWalk(cursor, kViewer));
  EXPECT_FALSE(CursorCodec(std::string(32, 'k'), "h").DecodeWalk(cursor, kViewer));
  EXPECT_EQ(codec_.DecodeWalk(cursor, UserId{NewUuid(1)}).error().code, "bad_cursor");
}

TEST_F(CursorTest, EveryChangedByteIsNoticed) {
  const std::string cursor = codec_.Encode(RandomWalk(2), kViewer);
  const std::string bytes = *DecodeBase64Url(cursor);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(codec_.DecodeWalk(EncodeBase64Url(changed), kViewer)) << "byte " << i;
    EXPECT_FALSE(codec_.DecodeWalk(EncodeBase64Url(bytes.substr(0, i)), kViewer)) << "cut at " << i;
  }
}

TEST_F(CursorTest, RubbishIsRefused) {
  for (const char* text : {"", "x", "%%%", "AAAA", "null"}) EXPECT_FALSE(codec_.DecodeWalk(text, kViewer));
}

TEST(WalkState, HashesAreFortyBitsAndDependOnTheSalt) {
  WalkState walk;
  std::set<ServedHash> seen;
  for (int i = 0; i < 2000; ++i) {
    const PostId post = RandomPost();
    walk.salt = 1;
    const ServedHash first = walk.HashOf(post);
    EXPECT_LT(first, 1ULL << 40);
    seen.insert(first);
    walk.salt = 2;
    EXPECT_NE(walk.HashOf(post), first);
  }
  EXPECT_EQ(seen.size(), 2000U);
}

TEST(WalkState, IdsThatDifferInOneBitHashApart) {
  WalkState walk;
  walk.salt = 99;
  const PostId base = RandomPost();
  std::set<ServedHash> seen{walk.HashOf(base)};
  for (std::size_t bit = 0; bit < 128; ++bit) {
    PostId other = base;
    other.value.bytes[bit / 8] = static_cast<std::uint8_t>(other.value.bytes[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_TRUE(seen.insert(walk.HashOf(other)).second);
  }
}

}  // namespace
}  // namespace novafeed
