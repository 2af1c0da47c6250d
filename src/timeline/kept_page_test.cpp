#include "timeline/kept_page.h"

#include <gtest/gtest.h>

#include <random>

#include "base/test_support.h"
#include "index/test_log.h"

namespace novafeed {
namespace {

using testing::TestPost;
using testing::TestUser;

KeptPage RandomPage(std::mt19937_64* random) {
  const auto number = [random] { return static_cast<std::int64_t>((*random)() >> ((*random)() % 64)); };
  KeptPage page;
  page.as_of = number();
  page.trending_as_of = number();
  page.chosen_as_of = number();
  page.counters_as_of = number();
  page.ends_at = number();
  page.position = {std::to_string(number()), number(), {number()}};
  page.posts.resize((*random)() % 101);
  for (Candidate& post : page.posts) {
    post.id = TestPost(static_cast<int>((*random)() % 60'000));
    post.author = TestUser(static_cast<int>((*random)() % 60'000));
    post.created_at = number();
    post.counters = {number(), number(), number(), number()};
    post.interactions = number();
    post.source = static_cast<Source>((*random)() % 4);
  }
  return page;
}

TEST(KeptPage, ComesBackAsItWas) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 200; ++i) {
    const KeptPage page = RandomPage(&random);
    const KeptPage read = *DecodeKeptPage(EncodeKeptPage(page));
    EXPECT_EQ(read.as_of, page.as_of);
    EXPECT_EQ(read.trending_as_of, page.trending_as_of);
    EXPECT_EQ(read.chosen_as_of, page.chosen_as_of);
    EXPECT_EQ(read.counters_as_of, page.counters_as_of);
    EXPECT_EQ(read.ends_at, page.ends_at);
    EXPECT_EQ(read.position, page.position);
    ASSERT_EQ(read.posts.size(), page.posts.size());
    for (std::size_t post = 0; post < page.posts.size(); ++post) {
      EXPECT_EQ(read.posts[post].id, page.posts[post].id);
      EXPECT_EQ(read.posts[post].author, page.posts[post].author);
      EXPECT_EQ(read.posts[post].created_at, page.posts[post].created_at);
      EXPECT_EQ(read.posts[post].counters, page.posts[post].counters);
      EXPECT_EQ(read.posts[post].interactions, page.posts[post].interactions);
      EXPECT_EQ(read.posts[post].source, page.posts[post].source);
    }
  }
}

TEST(KeptPage, BytesThatAreNoPageAreRefused) {
  std::mt19937_64 random(TestSeed());
  KeptPage page = RandomPage(&random);
  page.posts.resize(2);
  const std::string bytes = EncodeKeptPage(page);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeKeptPage(bytes.substr(0, size)).error().code, "bad_cached") << size;
  }
  EXPECT_FALSE(DecodeKeptPage(bytes + "x"));
  std::string other_version = bytes;
  ++other_version.front();
  EXPECT_FALSE(DecodeKeptPage(other_version));
  page.posts.front().source = static_cast<Source>(4);
  EXPECT_FALSE(DecodeKeptPage(EncodeKeptPage(page)));
  page.posts.assign(101, Candidate());
  EXPECT_FALSE(DecodeKeptPage(EncodeKeptPage(page)));
}

}  // namespace
}  // namespace novafeed
