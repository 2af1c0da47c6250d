// What the people of a demo network go on doing: who comes by, what they read, and what they do about it. Pure: it says
// one step after the other, and is told what the feed showed.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "demo/people.h"
#include "demo/random.h"
#include "demo/writer.h"

namespace novafeed {

struct LiveOptions {
  std::uint64_t seed = 1;   // of the network: its people are known by it
  std::size_t users = 200;  // as the network was made with
  TimeMs started = 0;       // another start of the same network does other things
  double rate = 3;          // steps a second, as the mean of a day; > 0
};

enum class LiveAct : std::uint8_t {
  kReadFeed,
  kSee,   // impressions of `posts`
  kView,  // an event about `subject`
  kShare,
  kLike,
  kComment,
  kPost,
  kDiscover,  // asks for suggested users
  kFollow,
  kUnfollow,
};
inline constexpr std::size_t kLiveActs = static_cast<std::size_t>(LiveAct::kUnfollow) + 1;

// One thing that one person does.
struct LiveStep {
  LiveAct act = LiveAct::kReadFeed;
  const DemoPerson* person = nullptr;  // of the network that gave the step
  Uuid subject;                        // the post, or the user
  std::vector<Uuid> posts;
  std::string text;             // of a comment or post
  std::size_t limit = 0;        // of what is asked for
  bool only_following = false;  // the feed's mode
  std::vector<Uuid> event_ids;  // one for each event that the step sends
};

// An item of a feed, as far as people mind it.
struct LiveItem {
  Uuid post;
  Uuid author;
  std::string text;
  bool followed = false;  // it is there because they follow its author
  int interactions = 0;   // of the reader with its author, where the feed tells
};

// The same options and the same answers give the same steps. One owner, no locking.
class LiveNetwork {
 public:
  explicit LiveNetwork(const LiveOptions& options);

  // How long until the next step: by chance, by day more often than at night (rhythm.h). At most a minute.
  std::chrono::microseconds Pause(TimeMs now);
  // What happens next.
  LiveStep Next();
  // What the last step's feed showed. What comes of it are later steps.
  void SawFeed(const std::vector<LiveItem>& items);
  // Whom the last step's discovery suggested, best first.
  void SawSuggestions(const std::vector<Uuid>& users);

  const std::vector<DemoPerson>& people() const { return people_; }

 private:
  // Somebody who has come by, and what they will do yet.
  struct Visit {
    const DemoPerson* person = nullptr;
    std::deque<LiveStep> steps;
  };

  Visit& LastVisit() { return visits_[last_visit_]; }
  void Begin(Visit* visit);
  LiveStep Step(LiveAct act, const Visit& visit, Uuid subject = {});
  LiveStep EventStep(LiveAct act, const Visit& visit, Uuid post);
  // How likely this person does something about this post, where the middle is 1.
  double EagernessFor(const DemoPerson& reader, const LiveItem& item) const;
  void React(Visit* visit, const LiveItem& item, int limit);
  void Conclude(Visit* visit, const std::vector<LiveItem>& items);
  bool IsNewTo(const DemoPerson& reader, const LiveItem& item);
  int& ReactionsOf(const DemoPerson& reader, const LiveItem& item);
  // How many reactions to one author this reader comes to before the author has to wait for others to catch up.
  int LimitFor(const DemoPerson& reader, const std::vector<LiveItem>& items);
  Uuid DrawEventId();

  static constexpr std::size_t kVisits = 12;  // people who are there at a time

  const double rate_;
  DemoRandom random_;  // of the network's people at first, then of what they do
  const std::vector<DemoPerson> people_;
  DemoWriter writer_;
  boost::unordered_flat_map<Uuid, std::size_t, UuidHash> topics_;  // of the people, by id
  WeightedDraw visitors_;
  std::array<Visit, kVisits> visits_;
  std::size_t last_visit_ = 0;
  boost::unordered_flat_set<std::uint64_t> seen_;            // who has seen which post
  boost::unordered_flat_set<const DemoPerson*> readers_;     // who has been there
  boost::unordered_flat_map<std::uint64_t, int> reactions_;  // of a reader to an author, as far as is known
};

}  // namespace novafeed
