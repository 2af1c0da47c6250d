#include "demo/demo_network.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "demo/random.h"
#include "demo/vocabulary.h"
#include "demo/writer.h"

namespace novafeed {
namespace {

constexpr TimeMs kMsPerMinute = 60 * kMsPerSecond;
constexpr TimeMs kNewestPostAge = 3 * kMsPerMinute;

// Relative activity by clock hour (UTC): people sleep, and evenings are long.
constexpr std::array<double, 24> kActivityByHour{0.25, 0.12, 0.08, 0.05, 0.05, 0.10, 0.30, 0.55,
                                                 0.65, 0.60, 0.55, 0.60, 0.75, 0.65, 0.55, 0.55,
                                                 0.65, 0.80, 0.95, 1.00, 1.00, 0.90, 0.70, 0.45};

struct Follower {
  std::size_t user;
  TimeMs since;
  bool close;  // reacts far more often to this author than to others
};

struct Person {
  ParsedId id;
  std::string handle;
  std::string name;
  std::size_t topic = 0;
  double fame = 1;       // weight as somebody to follow
  double diligence = 1;  // weight as an author
  TimeMs joined = 0;
  std::vector<Follower> followers;
};

struct DemoPost {
  ParsedId id;
  std::size_t author = 0;
  TimeMs at = 0;
  double appeal = 1;  // multiplies how likely a reader reacts
  WrittenPost written;
};

ParsedId DemoId(IdKind kind, std::string external) {
  return ParsedId{.id = IdFromExternal(kind, external), .external_id = std::move(external)};
}

// Draws indices in proportion to fixed weights.
class WeightedDraw {
 public:
  void Add(double weight) { sums_.push_back((sums_.empty() ? 0.0 : sums_.back()) + weight); }
  std::size_t Draw(DemoRandom* random) const {
    const auto found = std::ranges::upper_bound(sums_, random->Unit() * sums_.back());
    return static_cast<std::size_t>(std::min(found, sums_.end() - 1) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

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
  void Name(std::size_t number, Person* person);
  void MakeFollows();
  std::size_t DrawFollowee(const Person& follower);
  void MakePost(std::size_t number);
  void ShowToReaders(const DemoPost& post);
  void Show(const DemoPost& post, std::size_t reader, bool close);
  void Comment(const DemoPost& post, std::size_t reader, TimeMs at);
  TimeMs DrawPostTime();
  // Drops what would lie in the future: it has not happened yet.
  void Add(TimeMs at, ImportActionBody body);
  void AddEvent(EventType type, const DemoPost& post, std::size_t reader, TimeMs at);
  std::vector<ImportAction> InTimeOrder();

  const DemoOptions options_;
  DemoRandom random_;
  DemoWriter writer_;
  const TimeMs start_;
  std::vector<Person> people_;
  std::unordered_set<std::string> handles_;
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
  people_.resize(options_.users);
  reactions_.resize(options_.users * options_.users);
  for (std::size_t number = 0; number < people_.size(); ++number) {
    Person& person = people_[number];
    Name(number, &person);
    person.id = DemoId(IdKind::kUser, "demo-" + person.handle);
    person.topic = number % Topics().size();
    person.fame = std::min(random_.Pareto(1.1), 60.0);
    // Those whom many follow also tend to post more.
    person.diligence = std::pow(person.fame, 0.25) * std::min(random_.Pareto(2.0), 4.0);
    person.joined = start_ - 2 * kMsPerDay + static_cast<TimeMs>(random_.Unit() * static_cast<double>(kMsPerDay));
    famous_.Add(person.fame);
    famous_by_topic_[person.topic].Add(person.fame);
    people_by_topic_[person.topic].push_back(number);
    authors_.Add(person.diligence);
    Add(person.joined, UserLine{.id = person.id, .handle = person.handle, .name = person.name});
  }
}

void Generator::Name(std::size_t number, Person* person) {
  // Spread through the network, so that they turn up in every list.
  if (number % 20 == 7 && number / 20 < OtherNames().size()) {
    const PersonName& other = OtherNames()[number / 20];
    person->handle = other.handle;
    person->name = other.name;
    handles_.insert(person->handle);
    return;
  }
  do {
    const std::string_view given = random_.Pick(GivenNames());
    const std::string_view family = random_.Pick(FamilyNames());
    person->name = std::string(given) + " " + std::string(family);
    person->handle = std::string(given) + "_" + std::string(family);
    for (char& letter : person->handle) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  } while (!handles_.insert(person->handle).second);
}

void Generator::MakeFollows() {
  for (std::size_t follower = 0; follower < people_.size(); ++follower) {
    const double wanted = std::min(12.0 + 8.0 * random_.Pareto(1.3), 0.4 * static_cast<double>(people_.size()));
    std::unordered_set<std::size_t> chosen{follower};  // nobody follows themselves
    for (int draws = static_cast<int>(wanted); draws > 0; --draws) {
      const std::size_t followee = DrawFollowee(people_[follower]);
      if (!chosen.insert(followee).second) continue;
      // Most ties are as old as the network, some are new.
      const double days = random_.Chance(0.7) ? random_.Unit() : random_.Unit() * options_.days;
      const TimeMs since = start_ - kMsPerDay + static_cast<TimeMs>(days * static_cast<double>(kMsPerDay));
      people_[followee].followers.push_back({.user = follower, .since = since, .close = random_.Chance(0.15)});
      Add(since, FollowLine{.user = people_[follower].id, .target = people_[followee].id});
    }
  }
}

std::size_t Generator::DrawFollowee(const Person& follower) {
  if (!random_.Chance(0.75)) return famous_.Draw(&random_);
  return people_by_topic_[follower.topic][famous_by_topic_[follower.topic].Draw(&random_)];
}

TimeMs Generator::DrawPostTime() {
  const double span = static_cast<double>(options_.now - kNewestPostAge - start_);
  while (true) {
    const TimeMs at = start_ + static_cast<TimeMs>(random_.Unit() * span);
    if (random_.Chance(kActivityByHour[static_cast<std::size_t>(HourOf(at) % 24)])) return at;
  }
}

void Generator::MakePost(std::size_t number) {
  DemoPost post;
  post.id = DemoId(IdKind::kPost, "demo-post-" + std::to_string(number));
  post.author = authors_.Draw(&random_);
  // The last one is always just written, so that a fresh demo is alive at any hour.
  post.at = number == options_.posts ? options_.now - kNewestPostAge : DrawPostTime();
  post.appeal = std::min(0.6 * random_.Pareto(2.5), 2.5);
  const bool off_topic = random_.Chance(0.12);
  post.written = writer_.WritePost(off_topic ? random_.Below(Topics().size()) : people_[post.author].topic);
  Add(post.at, PostLine{.id = post.id, .author = people_[post.author].id, .text = post.written.text});
  ShowToReaders(post);
}

void Generator::ShowToReaders(const DemoPost& post) {
  std::unordered_set<std::size_t> seen{post.author};
  for (const Follower& follower : people_[post.author].followers) {
    if (follower.since > post.at || !random_.Chance(0.6)) continue;
    seen.insert(follower.user);
    Show(post, follower.user, follower.close);
  }
  // What people like travels beyond the author's followers, mostly within the community.
  for (std::size_t reader = 0; reader < people_.size(); ++reader) {
    const double reach = people_[reader].topic == post.written.topic ? 0.25 : 0.04;
    if (!random_.Chance(std::min(reach * post.appeal, 0.7)) || !seen.insert(reader).second) continue;
    Show(post, reader, false);
  }
}

void Generator::Show(const DemoPost& post, std::size_t reader, bool close) {
  const auto after = [&](TimeMs from, double mean_minutes) {
    return from + 1 + static_cast<TimeMs>(random_.Exponential(mean_minutes) * static_cast<double>(kMsPerMinute));
  };
  const TimeMs at = after(post.at, 200);
  // People spread their attention: the more they reacted to an author, the less it takes them. Without this, each feed
  // would be one favourite author's posts of a month.
  int& reactions = reactions_[reader * people_.size() + post.author];
  const double eagerness = post.appeal * (close ? 3.0 : 1.0) / ((1.0 + reactions) * (1.0 + reactions));
  AddEvent(EventType::kImpression, post, reader, at);
  if (random_.Chance(0.25)) AddEvent(EventType::kView, post, reader, after(at, 0.2));
  if (random_.Chance(std::min(0.13 * eagerness, 0.6))) {
    Add(after(at, 0.5), LikeLine{.user = people_[reader].id, .post = post.id});
    ++reactions;
  }
  if (random_.Chance(std::min(0.03 * eagerness, 0.4))) {
    Comment(post, reader, after(at, 3));
    ++reactions;
  }
  if (random_.Chance(std::min(0.01 * eagerness, 0.2))) {
    AddEvent(EventType::kShare, post, reader, after(at, 1));
    ++reactions;
  }
}

void Generator::Comment(const DemoPost& post, std::size_t reader, TimeMs at) {
  if (at > options_.now) return;
  Add(at, CommentLine{.id = DemoId(IdKind::kComment, "demo-comment-" + std::to_string(++comments_)),
                      .user = people_[reader].id,
                      .post = post.id,
                      .text = writer_.WriteComment(post.written)});
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

void GenerateDemoNetwork(const DemoOptions& options, const std::function<void(const ImportAction&)>& take) {
  for (const ImportAction& action : Generator(options).Run()) take(action);
}

}  // namespace novafeed
