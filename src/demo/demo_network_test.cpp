#include "demo/demo_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "demo/import_line.h"

namespace novafeed {
namespace {

constexpr TimeMs kNow = 1'764'000'000'000;
constexpr TimeMs kMinute = 60 * kMsPerSecond;

std::vector<ImportAction> Generate(const DemoOptions& options) {
  std::vector<ImportAction> actions;
  GenerateDemoNetwork(options, [&](const ImportAction& action) { actions.push_back(action); });
  return actions;
}

std::vector<std::string> Lines(const std::vector<ImportAction>& actions) {
  std::vector<std::string> lines;
  lines.reserve(actions.size());
  for (const ImportAction& action : actions) lines.push_back(FormatImportLine(action));
  return lines;
}

template <class Line>
std::vector<Line> Only(const std::vector<ImportAction>& actions) {
  std::vector<Line> lines;
  for (const ImportAction& action : actions) {
    if (const Line* line = std::get_if<Line>(&action.body)) lines.push_back(*line);
  }
  return lines;
}

class DemoNetwork : public testing::Test {
 protected:
  static void SetUpTestSuite() { actions_ = Generate({.seed = 1, .now = kNow}); }
  static void TearDownTestSuite() { actions_.clear(); }
  static inline std::vector<ImportAction> actions_;
};

TEST_F(DemoNetwork, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const DemoOptions small{.seed = 7, .now = kNow, .users = 40, .posts = 100};
  DemoOptions other = small;
  other.seed = 8;
  const std::vector<std::string> lines = Lines(Generate(small));
  EXPECT_EQ(lines, Lines(Generate(small)));
  EXPECT_NE(lines, Lines(Generate(other)));
}

TEST_F(DemoNetwork, HasTheSizesThatItPromises) {
  EXPECT_EQ(Only<UserLine>(actions_).size(), 200u);
  EXPECT_EQ(Only<PostLine>(actions_).size(), 2500u);
  EXPECT_GT(Only<FollowLine>(actions_).size(), 2000u);
  EXPECT_GT(Only<CommentLine>(actions_).size(), 800u);
  EXPECT_GT(Only<LikeLine>(actions_).size(), 3000u);
  std::map<EventType, std::size_t> events;
  for (const EventLine& event : Only<EventLine>(actions_)) ++events[event.type];
  EXPECT_GT(events[EventType::kImpression], 25'000u);
  EXPECT_GT(events[EventType::kShare], 250u);
}

TEST_F(DemoNetwork, EachLineIsOneThatTheImportTakes) {
  for (const std::string& line : Lines(actions_)) {
    const Result<ImportAction> parsed = ParseImportLine(line);
    ASSERT_TRUE(parsed) << line << ": " << parsed.error().detail;
    ASSERT_EQ(FormatImportLine(*parsed), line);
    ASSERT_TRUE(parsed->ignored_fields.empty()) << line;
  }
}

TEST_F(DemoNetwork, GoesForwardInTimeAndEndsJustBeforeNow) {
  EXPECT_TRUE(std::ranges::is_sorted(actions_, {}, &ImportAction::at));
  EXPECT_LE(actions_.back().at, kNow);
  EXPECT_GE(actions_.back().at, kNow - 5 * kMinute);
  EXPECT_GE(actions_.front().at, kNow - 33 * kMsPerDay);
}

// Checks one line after another against what the lines before it made.
class Causality {
 public:
  void operator()(const UserLine& line) { EXPECT_TRUE(users_.insert(line.id.id).second) << "made twice"; }
  void operator()(const PostLine& line) {
    Known(users_, line.author);
    EXPECT_TRUE(posts_.insert(line.id.id).second) << "made twice";
  }
  void operator()(const FollowLine& line) {
    Known(users_, line.user);
    Known(users_, line.target);
    EXPECT_NE(line.user.id, line.target.id) << "follows themselves";
    EXPECT_TRUE(follows_.insert({line.user.id, line.target.id}).second) << "follows twice";
  }
  void operator()(const LikeLine& line) { Reaction(line.user, line.post); }
  void operator()(const CommentLine& line) { Reaction(line.user, line.post); }
  void operator()(const EventLine& line) { Reaction(line.user, line.post); }
  void operator()(const auto&) { ADD_FAILURE() << "an action that the demo does not make"; }

 private:
  static void Known(const std::set<Uuid>& ids, const ParsedId& id) {
    EXPECT_TRUE(ids.contains(id.id)) << id.external_id.value_or("?") << " is named before it is made";
  }
  void Reaction(const ParsedId& user, const ParsedId& post) {
    Known(users_, user);
    Known(posts_, post);
  }

  std::set<Uuid> users_;
  std::set<Uuid> posts_;
  std::set<std::pair<Uuid, Uuid>> follows_;
};

TEST_F(DemoNetwork, NothingIsNamedBeforeItIsMadeAndNobodyFollowsThemselves) {
  Causality causality;
  for (const ImportAction& action : actions_) std::visit(causality, action.body);
}

TEST_F(DemoNetwork, AFewAreFollowedByMany) {
  std::map<Uuid, int> followers;
  for (const UserLine& user : Only<UserLine>(actions_)) followers[user.id.id] = 0;
  for (const FollowLine& follow : Only<FollowLine>(actions_)) ++followers[follow.target.id];
  std::vector<int> counts;
  counts.reserve(followers.size());
  for (const auto& [user, count] : followers) counts.push_back(count);
  std::ranges::sort(counts, std::greater<>());
  const int all = std::accumulate(counts.begin(), counts.end(), 0);
  const int top_tenth = std::accumulate(counts.begin(), counts.begin() + 20, 0);
  EXPECT_GT(top_tenth, all / 4) << "the most followed tenth has " << top_tenth << " of " << all;
  EXPECT_GT(counts.front(), 5 * std::max(1, counts[counts.size() / 2]));
}

TEST_F(DemoNetwork, TextsDiffer) {
  std::set<std::string> texts;
  for (const PostLine& post : Only<PostLine>(actions_)) texts.insert(post.text);
  EXPECT_EQ(texts.size(), 2500u);
  std::set<std::string> comments;
  for (const CommentLine& comment : Only<CommentLine>(actions_)) comments.insert(comment.text);
  EXPECT_GT(comments.size(), Only<CommentLine>(actions_).size() / 2);
}

TEST_F(DemoNetwork, TextsHaveNoUnfilledSlots) {
  const auto check = [](const std::string& text) {
    ASSERT_EQ(text.find_first_of("{}"), std::string::npos) << text;
    ASSERT_FALSE(text.empty());
    ASSERT_FALSE(text.front() >= 'a' && text.front() <= 'z') << text;
  };
  for (const PostLine& post : Only<PostLine>(actions_)) check(post.text);
  for (const CommentLine& comment : Only<CommentLine>(actions_)) check(comment.text);
}

TEST_F(DemoNetwork, NightsAreQuiet) {
  std::array<int, 24> by_hour{};
  for (const ImportAction& action : actions_) {
    if (std::holds_alternative<PostLine>(action.body)) ++by_hour[static_cast<std::size_t>(HourOf(action.at) % 24)];
  }
  const int night = by_hour[2] + by_hour[3] + by_hour[4];
  const int evening = by_hour[18] + by_hour[19] + by_hour[20];
  EXPECT_GT(evening, 5 * night) << evening << " in three hours of the evening, " << night << " of the night";
}

TEST_F(DemoNetwork, EngagementRatesMeanSomething) {
  std::map<Uuid, int> impressions;
  for (const EventLine& event : Only<EventLine>(actions_))
    impressions[event.post.id] += event.type == EventType::kImpression;
  std::map<Uuid, int> likes;
  for (const LikeLine& like : Only<LikeLine>(actions_)) ++likes[like.post.id];
  const auto posts_seen = std::ranges::count_if(impressions, [](const auto& entry) { return entry.second >= 3; });
  EXPECT_GT(posts_seen, 2000);
  std::size_t shown = 0;
  for (const auto& [post, count] : impressions) shown += static_cast<std::size_t>(count);
  const std::size_t reactions = Only<LikeLine>(actions_).size() + Only<CommentLine>(actions_).size();
  EXPECT_GT(reactions, shown / 100);
  EXPECT_LT(reactions, shown / 10);
  for (const auto& [post, count] : likes) EXPECT_LE(count, impressions[post]) << post.ToString();
}

}  // namespace
}  // namespace novafeed
