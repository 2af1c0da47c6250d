#include "demo/live_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "demo/rhythm.h"
#include "demo/vocabulary.h"

namespace novafeed {
namespace {

constexpr TimeMs kMidnight = 1'764'028'800'000;

// A platform of its own: newest posts first, whoever asks.
class LittlePlatform {
 public:
  explicit LittlePlatform(const LiveOptions& options) : network_(options) {
    for (const DemoPerson& person : network_.people()) Write(person, "Post of " + person.handle);
  }

  // Takes the next step, and answers it.
  LiveStep Step() {
    LiveStep step = network_.Next();
    ++taken_[step.act];
    if (step.act == LiveAct::kReadFeed) network_.SawFeed(FeedOf(step));
    if (step.act == LiveAct::kDiscover) network_.SawSuggestions({network_.people().front().id.id, Uuid{}});
    if (step.act == LiveAct::kPost) Write(*step.person, step.text);
    impressions_ += step.act == LiveAct::kSee ? static_cast<int>(step.posts.size()) : 0;
    return step;
  }

  LiveNetwork& network() { return network_; }
  int taken(LiveAct act) { return taken_[act]; }
  int impressions() const { return impressions_; }

 private:
  void Write(const DemoPerson& author, const std::string& text) {
    posts_.push_back({IdFromExternal(IdKind::kPost, std::to_string(posts_.size())), author.id.id, text, true});
  }
  std::vector<LiveItem> FeedOf(const LiveStep& step) const {
    std::vector<LiveItem> items;
    for (auto post = posts_.rbegin(); post != posts_.rend() && items.size() < step.limit; ++post) {
      if (post->author != step.person->id.id) items.push_back(*post);
    }
    return items;
  }

  LiveNetwork network_;
  std::vector<LiveItem> posts_;
  std::map<LiveAct, int> taken_;
  int impressions_ = 0;
};

std::string Told(const LiveStep& step) {
  std::string told = std::to_string(static_cast<int>(step.act)) + step.person->handle + step.subject.ToString() +
                     step.text + std::to_string(step.limit);
  for (const Uuid& id : step.event_ids) told += id.ToString();
  for (const Uuid& id : step.posts) told += id.ToString();
  return told;
}

std::vector<std::string> Story(const LiveOptions& options) {
  LittlePlatform platform(options);
  std::vector<std::string> story;
  for (int i = 0; i < 2000; ++i) {
    story.push_back(Told(platform.Step()));
    story.push_back(std::to_string(platform.network().Pause(kMidnight + i * kMsPerSecond).count()));
  }
  return story;
}

TEST(LiveNetwork, TheSameAnswersGiveTheSameStepsAndAnotherStartOthers) {
  const LiveOptions options{.seed = 4, .users = 40, .started = kMidnight};
  LiveOptions later = options;
  later.started += 1;
  EXPECT_EQ(Story(options), Story(options));
  EXPECT_NE(Story(options), Story(later));
}

TEST(LiveNetwork, ItsPeopleAreThoseOfTheNetworkWithItsSeed) {
  DemoRandom random(9);
  const std::vector<DemoPerson> people = MakeDemoPeople(&random, 50);
  const LiveNetwork network({.seed = 9, .users = 30, .started = kMidnight});
  ASSERT_EQ(network.people().size(), 30U);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(network.people()[i].handle, people[i].handle);
}

TEST(LiveNetwork, PeopleDoEverythingAndSeldomMoreThanRead) {
  LittlePlatform platform({.seed = 1, .users = 100, .started = kMidnight});
  for (int i = 0; i < 60'000; ++i) platform.Step();
  for (std::size_t act = 0; act < kLiveActs; ++act) {
    EXPECT_GT(platform.taken(static_cast<LiveAct>(act)), 20) << "act " << act;
  }
  const double rate = static_cast<double>(platform.taken(LiveAct::kLike) + platform.taken(LiveAct::kComment) +
                                          platform.taken(LiveAct::kShare)) /
                      platform.impressions();
  EXPECT_GT(rate, 0.01);
  EXPECT_LT(rate, 0.10);
  EXPECT_GT(platform.taken(LiveAct::kLike), 2 * platform.taken(LiveAct::kComment));
  EXPECT_GT(platform.taken(LiveAct::kComment), platform.taken(LiveAct::kShare));
  EXPECT_NEAR(platform.taken(LiveAct::kFollow), platform.taken(LiveAct::kUnfollow),
              platform.taken(LiveAct::kFollow) / 2.0);
}

TEST(LiveNetwork, NobodyReactsTwiceToAPostOrToOneThatTheyWereNotShown) {
  LittlePlatform platform({.seed = 2, .users = 50, .started = kMidnight});
  std::set<std::pair<std::string, Uuid>> shown;
  std::set<std::tuple<LiveAct, std::string, Uuid>> reactions;
  for (int i = 0; i < 30'000; ++i) {
    const LiveStep step = platform.Step();
    for (const Uuid& post : step.posts) shown.emplace(step.person->handle, post);
    if (step.act != LiveAct::kLike && step.act != LiveAct::kComment && step.act != LiveAct::kView) continue;
    EXPECT_TRUE(shown.contains({step.person->handle, step.subject}));
    EXPECT_TRUE(reactions.emplace(step.act, step.person->handle, step.subject).second);
  }
  EXPECT_GT(reactions.size(), 100U);
}

TEST(LiveNetwork, PeopleLikeWhatTheirCommunityWritesAbout) {
  LiveNetwork network({.seed = 3, .users = 80, .started = kMidnight});
  DemoRandom random(8);
  DemoWriter writer(&random);
  int own = 0;
  int other = 0;
  for (int i = 0; i < 40'000; ++i) {
    const LiveStep step = network.Next();
    if (step.act == LiveAct::kLike) (step.subject.bytes[0] == step.person->topic ? own : other) += 1;
    if (step.act != LiveAct::kReadFeed) continue;
    std::vector<LiveItem> items;
    for (std::size_t topic = 0; topic < Topics().size(); ++topic) {
      Uuid id;
      id.bytes[0] = static_cast<std::uint8_t>(topic);
      id.bytes[8] = static_cast<std::uint8_t>(i);
      id.bytes[9] = static_cast<std::uint8_t>(i >> 8);
      items.push_back({id, Uuid{}, writer.WritePost(topic), false});
    }
    network.SawFeed(items);
  }
  // One in eight is of their topic.
  EXPECT_GT(own, other / 3) << own << " of their own topic, " << other << " of others";
  EXPECT_GT(other, 20);
}

TEST(LiveNetwork, EveningsAreBusyAndNightsAreNotAsleepAndTheRateIsTheMeanOfADay) {
  LiveNetwork network({.seed = 3, .users = 20, .started = kMidnight, .rate = 5});
  std::chrono::microseconds since_midnight{0};
  std::array<int, 24> by_hour{};
  int steps = 0;
  for (; since_midnight < std::chrono::hours(24); ++steps) {
    const TimeMs now = kMidnight + since_midnight / std::chrono::milliseconds(1);
    ++by_hour[static_cast<std::size_t>(HourOf(now) % 24)];
    since_midnight += network.Pause(now);
  }
  EXPECT_NEAR(steps, 5 * 86'400, 5 * 86'400 * 0.05);
  EXPECT_GT(by_hour[19], 2.5 * by_hour[3]);
  EXPECT_GT(*std::ranges::min_element(by_hour), *std::ranges::max_element(by_hour) * 0.31) << "about a third";
  for (const TimeMs hour : {TimeMs{3}, TimeMs{8}, TimeMs{19}}) {
    const double told = 3600 * LiveRateAt(5, kMidnight + hour * kMsPerHour);
    EXPECT_NEAR(by_hour[static_cast<std::size_t>(hour)], told, 0.05 * told) << hour;
  }
  EXPECT_EQ(BusiestLiveRate(5), LiveRateAt(5, kMidnight + 19 * kMsPerHour));
}

TEST(LiveNetwork, PeopleSpreadTheirAttentionOverTheirAuthors) {
  LiveNetwork network({.seed = 3, .users = 40, .started = kMidnight});
  const Uuid favourite = IdFromExternal(IdKind::kUser, "favourite");
  int number = 0;
  int to_favourite = 0;
  int to_others = 0;
  for (int i = 0; i < 40'000; ++i) {
    const LiveStep step = network.Next();
    if (step.act == LiveAct::kLike) (step.subject.bytes[0] == 0 ? to_favourite : to_others) += 1;
    if (step.act != LiveAct::kReadFeed) continue;
    std::vector<LiveItem> items;
    for (std::uint8_t place = 0; place < 4; ++place) {
      Uuid id = IdFromExternal(IdKind::kPost, std::to_string(++number));
      id.bytes[0] = place;
      const Uuid author = place == 0 ? favourite : IdFromExternal(IdKind::kUser, std::to_string(number));
      items.push_back({id, author, "A post.", false, place == 0 ? 6 : 1});
    }
    network.SawFeed(items);
  }
  EXPECT_GT(to_others, 300);
  EXPECT_LT(to_favourite, to_others / 3 / 4) << "as often as others that they have reacted to as often";
}

TEST(LiveNetwork, SomebodyNewIsAnsweredToo) {
  LiveNetwork network({.seed = 3, .users = 40, .started = kMidnight});
  int likes = 0;
  std::set<std::string> comments;
  std::uint8_t number = 0;
  for (int i = 0; i < 20'000; ++i) {
    const LiveStep step = network.Next();
    likes += step.act == LiveAct::kLike;
    if (step.act == LiveAct::kComment) comments.insert(step.text);
    if (step.act != LiveAct::kReadFeed) continue;
    Uuid id;
    id.bytes[3] = ++number;
    network.SawFeed({{id, Uuid{}, "Hello, this is my first post.", false}});
  }
  EXPECT_GT(likes, 20);
  EXPECT_GT(comments.size(), 3U);
}

TEST(LiveNetwork, AnEmptyFeedAndNoSuggestionsAreNoEnd) {
  LiveNetwork network({.seed = 3, .users = 10, .started = kMidnight});
  for (int i = 0; i < 3000; ++i) {
    const LiveStep step = network.Next();
    ASSERT_TRUE(step.act == LiveAct::kReadFeed || step.act == LiveAct::kPost || step.act == LiveAct::kDiscover);
    if (step.act == LiveAct::kReadFeed) network.SawFeed({});
    if (step.act == LiveAct::kDiscover) network.SawSuggestions({});
  }
}

}  // namespace
}  // namespace novafeed
