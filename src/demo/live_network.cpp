#include "demo/live_network.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "demo/rhythm.h"
#include "demo/vocabulary.h"

namespace novafeed {
namespace {

constexpr std::chrono::microseconds kLongestPause{60'000'000};
constexpr double kNewcomerInterest = 0.6;     // in what somebody writes whom the network does not know
constexpr double kOtherTopic = 0.2;           // against one's own
constexpr double kClose = 0.15;               // of all pairs: such a reader reacts three times as often
constexpr double kSeenAgain = 0.08;           // of what was seen before; the rest is passed over
constexpr std::size_t kRemembered = 500'000;  // pairs of reader and post; then people forget

// Of a post that interests somebody as much as the middle one.
constexpr double kViews = 0.25;
constexpr double kLikes = 0.09;
constexpr double kComments = 0.022;
constexpr double kShares = 0.008;
constexpr double kBeyondLimit = 0.1;  // of that, to an author whom the reader has reacted to enough

// Of visits.
constexpr double kOnlyFollowing = 0.35;
constexpr double kPosts = 0.03;
constexpr double kDiscoveries = 0.012;
constexpr double kUnfollows = 0.01;  // as often as a discovery ends in a follow, or everybody would follow everybody

std::uint64_t PairOf(const Uuid& first, const Uuid& second) {
  return UuidHash{}(first) * 0x9e3779b97f4a7c15ULL + UuidHash{}(second);
}

}  // namespace

LiveNetwork::LiveNetwork(const LiveOptions& options)
    : rate_(options.rate), random_(options.seed), people_(MakeDemoPeople(&random_, options.users)), writer_(&random_) {
  for (const DemoPerson& person : people_) {
    topics_.emplace(person.id.id, person.topic);
    visitors_.Add(person.diligence);
  }
  random_ = DemoRandom(options.seed ^ static_cast<std::uint64_t>(options.started) * 0x9e3779b97f4a7c15ULL);
}

std::chrono::microseconds LiveNetwork::Pause(TimeMs now) {
  const std::chrono::duration<double> pause(random_.Exponential(1 / LiveRateAt(rate_, now)));
  return std::min(std::chrono::duration_cast<std::chrono::microseconds>(pause), kLongestPause);
}

LiveStep LiveNetwork::Next() {
  last_visit_ = random_.Below(kVisits);
  Visit& visit = LastVisit();
  if (visit.steps.empty()) Begin(&visit);
  LiveStep step = std::move(visit.steps.front());
  visit.steps.pop_front();
  return step;
}

void LiveNetwork::Begin(Visit* visit) {
  visit->person = &people_[visitors_.Draw(&random_)];
  LiveStep read = Step(LiveAct::kReadFeed, *visit);
  read.limit = 10 + random_.Below(21);
  // That feed tells no interactions: who comes by for the first time reads the other one.
  const bool has_read = !readers_.insert(visit->person).second;
  read.only_following = random_.Chance(kOnlyFollowing) && has_read;
  visit->steps.push_back(std::move(read));
}

LiveStep LiveNetwork::Step(LiveAct act, const Visit& visit, Uuid subject) {
  LiveStep step;
  step.act = act;
  step.person = visit.person;
  step.subject = subject;
  return step;
}

LiveStep LiveNetwork::EventStep(LiveAct act, const Visit& visit, Uuid post) {
  LiveStep step = Step(act, visit, post);
  step.event_ids.push_back(DrawEventId());
  return step;
}

void LiveNetwork::SawFeed(const std::vector<LiveItem>& items) {
  Visit& visit = LastVisit();
  LiveStep see = Step(LiveAct::kSee, visit);
  std::vector<const LiveItem*> fresh;
  for (const LiveItem& item : items) {
    const bool is_new = IsNewTo(*visit.person, item);
    if (is_new) fresh.push_back(&item);
    if (!is_new && !random_.Chance(kSeenAgain)) continue;
    see.posts.push_back(item.post);
    see.event_ids.push_back(DrawEventId());
  }
  if (!see.posts.empty()) visit.steps.push_back(std::move(see));
  const int limit = LimitFor(*visit.person, items);
  for (const LiveItem* item : fresh) React(&visit, *item, limit);
  Conclude(&visit, items);
}

bool LiveNetwork::IsNewTo(const DemoPerson& reader, const LiveItem& item) {
  if (seen_.size() >= kRemembered) seen_.clear();
  return seen_.insert(PairOf(reader.id.id, item.post)).second;
}

int& LiveNetwork::ReactionsOf(const DemoPerson& reader, const LiveItem& item) {
  if (reactions_.size() >= kRemembered) reactions_.clear();
  return reactions_[PairOf(reader.id.id, item.author)];
}

// That of the feed's lower quarter: so all whom somebody reads rise together, and none of them fills the feed.
int LiveNetwork::LimitFor(const DemoPerson& reader, const std::vector<LiveItem>& items) {
  std::vector<int> counts;
  for (const LiveItem& item : items) {
    int& known = ReactionsOf(reader, item);
    known = std::max(known, item.interactions);
    counts.push_back(known);
  }
  if (counts.empty()) return kMostReactions;
  const auto low = counts.begin() + std::ssize(counts) / 4;
  std::ranges::nth_element(counts, low);
  return std::max(kMostReactions, *low);
}

double LiveNetwork::EagernessFor(const DemoPerson& reader, const LiveItem& item) const {
  const std::optional<PostGist> gist = ReadPost(item.text);
  const auto author = topics_.find(item.author);
  double interest = kNewcomerInterest;
  if (gist || author != topics_.end()) {
    interest = (gist ? gist->topic : author->second) == reader.topic ? 1.0 : kOtherTopic;
  }
  // Both lie in the ids, so that all readers find the same posts appealing, and friends stay friends.
  const double appeal = std::min(0.6 * DemoRandom(UuidHash{}(item.post)).Pareto(2.5), 2.5);
  const bool is_close = DemoRandom(PairOf(reader.id.id, item.author)).Chance(kClose);
  return interest * appeal * (is_close ? 3.0 : 1.0);
}

void LiveNetwork::React(Visit* visit, const LiveItem& item, int limit) {
  const double eagerness = EagernessFor(*visit->person, item);
  const auto draws = [&](double usual) { return random_.Chance(std::min(usual * eagerness, 0.6)); };
  int& reactions = ReactionsOf(*visit->person, item);
  const auto reacts = [&](double usual) {
    const bool does = draws(reactions < limit ? usual : usual * kBeyondLimit);
    reactions += does ? 1 : 0;
    return does;
  };
  if (draws(kViews)) visit->steps.push_back(EventStep(LiveAct::kView, *visit, item.post));
  if (reacts(kLikes)) visit->steps.push_back(Step(LiveAct::kLike, *visit, item.post));
  if (reacts(kComments)) {
    LiveStep comment = Step(LiveAct::kComment, *visit, item.post);
    comment.text = writer_.WriteComment(item.text);
    visit->steps.push_back(std::move(comment));
  }
  if (reacts(kShares)) visit->steps.push_back(EventStep(LiveAct::kShare, *visit, item.post));
}

// What somebody does after they have read.
void LiveNetwork::Conclude(Visit* visit, const std::vector<LiveItem>& items) {
  if (random_.Chance(kPosts)) {
    LiveStep post = Step(LiveAct::kPost, *visit);
    const bool off_topic = random_.Chance(kOffTopic);
    post.text = writer_.WritePost(off_topic ? random_.Below(Topics().size()) : visit->person->topic);
    visit->steps.push_back(std::move(post));
  }
  if (random_.Chance(kDiscoveries)) {
    visit->steps.push_back(Step(LiveAct::kDiscover, *visit));
    visit->steps.back().limit = 10;
  }
  if (random_.Chance(kUnfollows)) {
    const LiveItem* least = nullptr;
    for (const LiveItem& item : items) {
      if (!item.followed) continue;
      if (least == nullptr || EagernessFor(*visit->person, item) < EagernessFor(*visit->person, *least)) least = &item;
    }
    if (least != nullptr) visit->steps.push_back(Step(LiveAct::kUnfollow, *visit, least->author));
  }
}

void LiveNetwork::SawSuggestions(const std::vector<Uuid>& users) {
  if (users.empty()) return;
  // The best of a few: whom the list has first is looked at first.
  const Uuid chosen = users[std::min(random_.Below(users.size()), random_.Below(users.size()))];
  LastVisit().steps.push_front(Step(LiveAct::kFollow, LastVisit(), chosen));
}

Uuid LiveNetwork::DrawEventId() {
  Uuid id;
  for (std::size_t at = 0; at < id.bytes.size(); at += 8) {
    const std::uint64_t drawn = random_.Next();
    std::memcpy(id.bytes.data() + at, &drawn, 8);
  }
  return id;
}

}  // namespace novafeed
