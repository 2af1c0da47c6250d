#include "demo/writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "demo/vocabulary.h"

namespace novafeed {
namespace {

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

TEST(ReadPost, KnowsWhatAnyWrittenPostSays) {
  DemoRandom random(3);
  DemoWriter writer(&random);
  std::set<PostKind> kinds;
  for (std::size_t i = 0; i < 4000; ++i) {
    const std::size_t topic = i % Topics().size();
    const std::string post = writer.WritePost(topic);
    const auto gist = ReadPost(post);
    ASSERT_TRUE(gist) << post;
    EXPECT_EQ(gist->topic, topic) << post;
    EXPECT_TRUE(gist->thing.empty() || post.find(gist->thing) != post.npos) << post;
    EXPECT_NE(LowerCase(post).find(LowerCase(std::string(gist->problem))), post.npos)
        << post << " without " << gist->problem;
    kinds.insert(gist->kind);
  }
  EXPECT_EQ(kinds.size(), 4U);
}

TEST(ReadPost, FindsWhatIsAskedFor) {
  const auto gist = ReadPost("Does anybody else get slugs in the salad bed with the rhubarb? Small steps.");
  ASSERT_TRUE(gist);
  EXPECT_EQ(gist->kind, PostKind::kQuestion);
  EXPECT_EQ(gist->thing, "rhubarb");
  EXPECT_EQ(gist->problem, "slugs in the salad bed");
}

TEST(ReadPost, KnowsNothingOfWhatOthersWrite) {
  for (const char* text : {"", "Hello.", "Finally", "{deed}", "the rhubarb", "مرحبا"})
    EXPECT_FALSE(ReadPost(text)) << text;
}

TEST(WriteComment, SpeaksOfTheProblemThatWasAskedAbout) {
  DemoRandom random(5);
  DemoWriter writer(&random);
  int named = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string comment =
        writer.WriteComment("How do you deal with shin splints? I already got lost on a path I know, no luck.");
    ASSERT_EQ(comment.find_first_of("{}"), comment.npos) << comment;
    named += comment.find("hin splints") != comment.npos;
    EXPECT_EQ(comment.find("got lost on a path I know"), comment.npos) << comment;
  }
  EXPECT_GT(named, 20);
}

TEST(WriteComment, HasAnAnswerForAnybody) {
  DemoRandom random(5);
  DemoWriter writer(&random);
  std::set<std::string> comments;
  for (int i = 0; i < 100; ++i) comments.insert(writer.WriteComment("My first post!"));
  EXPECT_GT(comments.size(), 5U);
  EXPECT_FALSE(comments.contains(""));
}

TEST(WritePost, RepeatsNothingForAWhile) {
  DemoRandom random(5);
  DemoWriter writer(&random);
  std::set<std::string> posts;
  for (std::size_t i = 0; i < 5000; ++i) EXPECT_TRUE(posts.insert(writer.WritePost(2)).second);
}

}  // namespace
}  // namespace novafeed
