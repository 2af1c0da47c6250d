#include "demo/demo_network.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "demo/random.h"
#include "demo/rhythm.h"
#include "demo/vocabulary.h"
#include "demo/writer.h"

namespace novafeed {
namespace {

constexpr TimeMs kMsPerMinute = 60 * kMsPerSecond;
constexpr TimeMs kNewestPostAge = 3 * kMsPerMinute;
constexpr double kReadNetwork = 200;  // people, up to which everybody may read everybody
constexpr double kClose = 0.5;        // of those whom somebody follows

struct Follower {
  std::size_t user;
  TimeMs since;
  bool close;  // reacts far more readily to this author than to others
};

struct DemoPost {
  ParsedId id;
  std::size_t author = 0;
  TimeMs at = 0;
  double appeal = 1;  // multiplies how likely a reader reacts
  std::string text;
  std::size_t topic = 0;
};

ParsedId DemoId(IdKind kind, std::string external) {
  return ParsedId{.id = IdFromExternal(kind, external), .external_id = std::move(external)};
}

class Generator {
 public:
  explicit Generator(const DemoOptions& options)
      : options_(options), random_(options.seed), writer_(&random_), start_(options.now - options.days * kMsPerDay) {}

  std::vector<ImportAction> Run() {
    MakePeople();
    MakeFollows();
    for (std::size_t number = 1; number <= options_.posts; ++number) MakePost(number);
    return InTimeOrder();
  }

 private:
  void MakePeople();
  void MakeFollows();
  std::size_t DrawFollowee(const DemoPerson& follower);
  void MakePost(std::size_t number);
  void ShowToReaders(const DemoPost& post);
  void Show(const DemoPost& post, std::size_t reader, bool close);
  void Comment(const DemoPost& post, std::size_t reader, TimeMs at);
  TimeMs DrawPostTime();
  TimeMs DrawReadingTime(TimeMs posted);
  // Drops what would lie in the future: it has not happened yet.
  void Add(TimeMs at, ImportActionBody body);
  void AddEvent(EventType type, const DemoPost& post, std::size_t reader, TimeMs at);
  std::vector<ImportAction> InTimeOrder();

  const DemoOptions options_;
  DemoRandom random_;
  DemoWriter writer_;
  const TimeMs start_;
  std::vector<DemoPerson> people_;
  std::vector<std::vector<Follower>> followers_;  // of each of them
  WeightedDraw famous_;
  std::vector<WeightedDraw> famous_by_topic_;
  std::vector<std::vector<std::size_t>> people_by_topic_;
  WeightedDraw authors_;
  std::vector<int> reactions_;  // of each reader to each author
  std::size_t comments_ = 0;
  std::vector<ImportAction> actions_;
};

void Generator::MakePeople() {
  famous_by_topic_.resize(Topics().size());
  people_by_topic_.resize(Topics().size());
  people_ = MakeDemoPeople(&random_, options_.users);
  followers_.resize(people_.size());
  reactions_.resize(people_.size() * people_.size());
  for (std::size_t number = 0; number < people_.size(); ++number) {
    const DemoPerson& person = people_[number];
    famous_.Add(person.fame);
    famous_by_topic_[person.topic].Add(person.fame);
    people_by_topic_[person.topic].push_back(number);
    authors_.Add(std::sqrt(person.diligence));  // those who do a lot do not only write
    Add(JoinedAt(person, options_), UserLine{.id = person.id, .handle = person.handle, .name = person.name});
  }
}

void Generator::MakeFollows() {
  for (std::size_t follower = 0; follower < people_.size(); ++follower) {
    const double wanted = std::min(24.0 + 8.0 * random_.Pareto(1.3), 0.4 * static_cast<double>(people_.size()));
    std::unordered_set<std::size_t> chosen{follower};  // nobody follows themselves
    for (int draws = static_cast<int>(wanted); draws > 0; --draws) {
      const std::size_t followee = DrawFollowee(people_[follower]);
      if (!chosen.insert(followee).second) continue;
      // Most ties are as old as the network, some are new.
      const double days = random_.Chance(0.7) ? random_.Unit() : random_.Unit() * options_.days;
      const TimeMs since = start_ - kMsPerDay + static_cast<TimeMs>(days * static_cast<double>(kMsPerDay));
      followers_[followee].push_back({.user = follower, .since = since, .close = random_.Chance(kClose)});
      Add(since, FollowLine{.user = people_[follower].id, .target = people_[followee].id});
    }
  }
}

std::size_t Generator::DrawFollowee(const DemoPerson& follower) {
  if (!random_.Chance(0.75)) return famous_.Draw(&random_);
  return people_by_topic_[follower.topic][famous_by_topic_[follower.topic].Draw(&random_)];
}

TimeMs Generator::DrawPostTime() {
  const double span = static_cast<double>(options_.now - kNewestPostAge - start_);
  while (true) {
    const TimeMs at = start_ + static_cast<TimeMs>(random_.Unit() * span);
    if (random_.Chance(ActivityAt(at))) return at;
  }
}

void Generator::MakePost(std::size_t number) {
  DemoPost post;
  post.id = DemoId(IdKind::kPost, DemoPostName(number));
  post.author = authors_.Draw(&random_);
  // The last one is always just written, so that a fresh demo is alive at any hour.
  post.at = number == options_.posts ? options_.now - kNewestPostAge : DrawPostTime();
  post.appeal = std::min(0.6 * random_.Pareto(2.5), 2.5);
  const bool off_topic = random_.Chance(kOffTopic);
  post.topic = off_topic ? random_.Below(Topics().size()) : people_[post.author].topic;
  post.text = writer_.WritePost(post.topic);
  Add(post.at, PostLine{.id = post.id, .author = people_[post.author].id, .text = post.text});
  ShowToReaders(post);
}

void Generator::ShowToReaders(const DemoPost& post) {
  std::unordered_set<std::size_t> seen{post.author};
  for (const Follower& follower : followers_[post.author]) {
    if (follower.since > post.at || !random_.Chance(0.6)) continue;
    seen.insert(follower.user);
    Show(post, follower.user, follower.close);
  }
  // What people like travels beyond the author's followers, mostly within the community; nobody reads all of a large
  // one.
  const double strangers = std::min(1.0, kReadNetwork / static_cast<double>(people_.size()));
  for (std::size_t reader = 0; reader < people_.size(); ++reader) {
    const double reach = people_[reader].topic == post.topic ? 0.5 : 0.08;
    if (!random_.Chance(std::min(reach * post.appeal, 0.8) * strangers) || !seen.insert(reader).second) continue;
    Show(post, reader, false);
  }
}

// Some hours later, and rarely at night.
TimeMs Generator::DrawReadingTime(TimeMs posted) {
  TimeMs at = posted;
  do {
    at += 1 + static_cast<TimeMs>(random_.Exponential(150) * static_cast<double>(kMsPerMinute));
  } while (!random_.Chance(std::min(3 * ActivityAt(at), 1.0)));
  return at;
}

void Generator::Show(const DemoPost& post, std::size_t reader, bool close) {
  const auto after = [&](TimeMs from, double mean_minutes) {
    return from + 1 + static_cast<TimeMs>(random_.Exponential(mean_minutes) * static_cast<double>(kMsPerMinute));
  };
  const TimeMs at = DrawReadingTime(post.at);
  int& reactions = reactions_[reader * people_.size() + post.author];
  const double eagerness = post.appeal * (close ? 4.0 : 1.0);
  const auto reacts = [&](double usual, double most) {
    const bool does = reactions < kMostReactions && random_.Chance(std::min(usual * eagerness, most));
    reactions += does ? 1 : 0;
    return does;
  };
  AddEvent(EventType::kImpression, post, reader, at);
  if (random_.Chance(0.25)) AddEvent(EventType::kView, post, reader, after(at, 0.2));
  if (reacts(0.05, 0.5)) Add(after(at, 0.5), LikeLine{.user = people_[reader].id, .post = post.id});
  if (reacts(0.016, 0.3)) Comment(post, reader, after(at, 3));
  if (reacts(0.005, 0.2)) AddEvent(EventType::kShare, post, reader, after(at, 1));
}

void Generator::Comment(const DemoPost& post, std::size_t reader, TimeMs at) {
  if (at > options_.now) return;
  Add(at, CommentLine{.id = DemoId(IdKind::kComment, "demo-comment-" + std::to_string(++comments_)),
                      .user = people_[reader].id,
                      .post = post.id,
                      .text = writer_.WriteComment(post.text)});
}

void Generator::Add(TimeMs at, ImportActionBody body) {
  if (at > options_.now) return;
  actions_.push_back(ImportAction{.at = at, .body = std::move(body), .ignored_fields = {}});
}

void Generator::AddEvent(EventType type, const DemoPost& post, std::size_t reader, TimeMs at) {
  Add(at, EventLine{.type = type, .user = people_[reader].id, .post = post.id, .id = std::nullopt});
}

// What depends on something is always later than it, so equal times may stand in the order in which they were made.
std::vector<ImportAction> Generator::InTimeOrder() {
  std::vector<std::pair<TimeMs, std::size_t>> order;
  order.reserve(actions_.size());
  for (std::size_t place = 0; place < actions_.size(); ++place) order.emplace_back(actions_[place].at, place);
  std::ranges::sort(order);
  std::vector<ImportAction> sorted;
  sorted.reserve(actions_.size());
  for (const auto& [at, place] : order) sorted.push_back(std::move(actions_[place]));
  return sorted;
}

}  // namespace

std::string DemoPostName(std::size_t number) {
  return "demo-post-" + std::to_string(number);
}

TimeMs JoinedAt(const DemoPerson& person, const DemoOptions& options) {
  return options.now - (options.days + 2) * kMsPerDay +
         static_cast<TimeMs>(person.joined * static_cast<double>(kMsPerDay));
}

void GenerateDemoNetwork(const DemoOptions& options, const std::function<void(const ImportAction&)>& take) {
  for (const ImportAction& action : Generator(options).Run()) take(action);
}

}  // namespace novafeed
