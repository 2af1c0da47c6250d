#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace novafeed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    for (const char* pattern : {"/", "/feed", "/api/v1/posts/{}", "/api/v1/posts/{}/like", "/api/v1/users/{}/posts/{}",
                                "/api/v1/users/me", "/api/v1/users/{}"}) {
      router_.Add(Method::kGet, pattern, nullptr);
    }
    router_.Add(Method::kDelete, "/api/v1/posts/{}", nullptr);
    router_.Add(Method::kHead, "/feed", nullptr);
  }

  std::string PatternOf(std::string_view path) { return std::string(router_.Find(Method::kGet, path).pattern); }

  Router router_;
};

TEST_F(RouterTest, FindsLiteralsAndParameters) {
  EXPECT_EQ(PatternOf("/"), "/");
  EXPECT_EQ(PatternOf("/feed"), "/feed");
  const Router::Match match = router_.Find(Method::kGet, "/api/v1/users/u1/posts/p2");
  EXPECT_EQ(match.pattern, "/api/v1/users/{}/posts/{}");
  EXPECT_THAT(match.params, ElementsAre("u1", "p2"));
  EXPECT_NE(match.handler, nullptr);
}

TEST_F(RouterTest, ALiteralWinsAndGivesWayWhereItLeadsNowhere) {
  EXPECT_EQ(PatternOf("/api/v1/users/me"), "/api/v1/users/me");
  EXPECT_EQ(PatternOf("/api/v1/users/you"), "/api/v1/users/{}");
  const Router::Match match = router_.Find(Method::kGet, "/api/v1/users/me/posts/p");
  EXPECT_EQ(match.pattern, "/api/v1/users/{}/posts/{}");
  EXPECT_THAT(match.params, ElementsAre("me", "p"));
}

TEST_F(RouterTest, WhatIsNotThereHasNoPattern) {
  for (const char* path : {"/nothing", "/feed/", "//feed", "/FEED", "/api/v1/posts", "/api/v1/posts/",
                           "/api/v1/posts//like", "/api/v1/posts/a/like/b"}) {
    const Router::Match match = router_.Find(Method::kGet, path);
    EXPECT_EQ(match.handler, nullptr) << path;
    EXPECT_EQ(match.pattern, "") << path;
    EXPECT_THAT(match.allowed, IsEmpty()) << path;
    EXPECT_THAT(match.params, IsEmpty()) << path;
    EXPECT_FALSE(match.bad_path) << path;
  }
}

TEST_F(RouterTest, AnotherMethodIsToldWhichThereAre) {
  const Router::Match match = router_.Find(Method::kPut, "/api/v1/posts/x");
  EXPECT_EQ(match.handler, nullptr);
  EXPECT_EQ(match.pattern, "/api/v1/posts/{}");
  EXPECT_THAT(match.allowed, UnorderedElementsAre(Method::kGet, Method::kDelete));
}

TEST_F(RouterTest, HeadIsGetWithoutItsOwn) {
  EXPECT_EQ(router_.Find(Method::kHead, "/").handler, router_.Find(Method::kGet, "/").handler);
  EXPECT_NE(router_.Find(Method::kHead, "/feed").handler, router_.Find(Method::kGet, "/feed").handler);
}

TEST_F(RouterTest, EachSegmentIsDecodedForItself) {
  EXPECT_THAT(router_.Find(Method::kGet, "/api/v1/posts/ext:a%2Fb%20c+d").params, ElementsAre("ext:a/b c+d"));
  EXPECT_EQ(PatternOf("/%66eed"), "/feed");
  EXPECT_EQ(PatternOf("/api%2Fv1/posts/x"), "");
}

TEST_F(RouterTest, BadPathsAreToldApart) {
  for (const char* path : {"/api/v1/posts/%", "/%zz", "/feed/%ff", "", "feed", "*"}) {
    EXPECT_TRUE(router_.Find(Method::kGet, path).bad_path) << path;
  }
}

TEST_F(RouterTest, MisuseIsABug) {
  EXPECT_THROW(router_.Add(Method::kGet, "/feed", nullptr), std::logic_error);
  EXPECT_THROW(router_.Add(Method::kGet, "feed", nullptr), std::logic_error);
}

}  // namespace
}  // namespace novafeed
