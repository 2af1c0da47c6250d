#include "index/warehouse_sample.h"

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index/state.h"
#include "warehouse/sql.h"

namespace novafeed {
namespace {

constexpr std::int64_t kSecondsPerHour = 3600;
constexpr std::size_t kNamedDifferences = 5;
// The engine drops events after 90 days by its own clock, while counters hold 91 and a part of a day.
constexpr std::int64_t kComparedDays = kInteractionDaysKept - 2;

// What is said of users, posts and hours, by a name: "follows <id> <id>" -> 1.
using Facts = std::map<std::string, std::int64_t>;

struct Sample {
  std::vector<UserRef> users;
  std::vector<PostRef> posts;
};

// Up to `count` of those that `is_wanted`, each once.
template <class Slot, class F>
std::vector<std::uint32_t> Draw(const std::vector<Slot>& slots, std::size_t count, std::mt19937_64* random,
                                F is_wanted) {
  std::vector<std::uint32_t> drawn;
  for (std::uint32_t ref = 0; ref < slots.size(); ++ref) {
    if (is_wanted(slots[ref])) drawn.push_back(ref);
  }
  std::vector<std::uint32_t> kept;
  std::sample(drawn.begin(), drawn.end(), std::back_inserter(kept), count, *random);
  return kept;
}

Sample DrawSample(const IndexState& state, const WarehouseSampleOptions& options) {
  std::mt19937_64 random(options.seed);
  return {Draw(state.users, options.users, &random, [](const UserSlot& user) { return user.known; }),
          Draw(state.posts, options.posts, &random, [](const PostSlot& post) { return post.known; })};
}

std::string FollowName(const Uuid& follower, const Uuid& followee) {
  return "follow of " + followee.ToString() + " by " + follower.ToString();
}
std::string InteractionName(const Uuid& user, const Uuid& author, std::int64_t day) {
  return "interactions of " + user.ToString() + " with " + author.ToString() + " on day " + std::to_string(day);
}
std::string PostName(const Uuid& post, std::string_view what) {
  return std::string(what) + " of post " + post.ToString();
}
std::string HourName(const Uuid& post, std::int64_t hour, std::string_view what) {
  return PostName(post, what) + " in hour " + std::to_string(hour);
}

// Nothing and zero are one.
void Note(Facts* facts, std::string name, std::int64_t number) {
  if (number != 0) (*facts)[std::move(name)] = number;
}

void NoteFollow(Facts* facts, const Uuid& follower, const Uuid& followee, TimeMs at) {
  const std::string name = FollowName(follower, followee);
  Note(facts, name, 1);
  Note(facts, "time of " + name, at);
}

// Interactions of days whose events the log has forgotten are in the sets, and no longer rows that SQL could count.
std::int64_t OldestComparedDay(const IndexState& state, const WarehouseSampleOptions& options) {
  return std::max(DayOf(state.anchor) - kComparedDays, options.events_from_day);
}

// ---------------------------------------------------------------------------------------------- as the index has it

void NoteSizes(const IndexState& state, Facts* facts) {
  const auto users = std::count_if(state.users.begin(), state.users.end(), [](const auto& user) { return user.known; });
  const auto posts =
      std::count_if(state.posts.begin(), state.posts.end(), [](const auto& post) { return post.live(); });
  // SQL has no second table of users to count them from: one who is missing is somebody whom rows name.
  const auto missing = std::count_if(state.users.begin(), state.users.end(), [](const auto& user) {
    return !user.known && (!user.posts.empty() || !user.following.empty() || !user.followers.empty());
  });
  Note(facts, "number of users", users);
  Note(facts, "number of missing users", missing);
  Note(facts, "number of live posts", posts);
  Note(facts, "number of follows", static_cast<std::int64_t>(state.follow_count));
}

void NoteUsers(const IndexState& state, const std::vector<UserRef>& sample, std::int64_t oldest_day, Facts* facts) {
  std::vector<bool> drawn(state.users.size());
  for (const UserRef ref : sample) drawn[ref] = true;
  for (UserRef ref = 0; ref < state.users.size(); ++ref) {
    const UserSlot& user = state.users[ref];
    for (std::size_t i = 0; i < user.following.size(); ++i) {
      const UserRef followee = user.following[i];
      if (!drawn[ref] && !drawn[followee]) continue;
      NoteFollow(facts, user.id.value, state.users[followee].id.value, user.followed_at[i]);
    }
  }
  for (const UserRef ref : sample) {
    const UserSlot& user = state.users[ref];
    for (const DayInteractions& entry : user.interactions) {
      if (entry.day < oldest_day) continue;
      Note(facts, InteractionName(user.id.value, state.users[entry.author].id.value, entry.day), entry.count);
    }
  }
}

void NotePosts(const IndexState& state, const std::vector<PostRef>& sample, Facts* facts) {
  for (const PostRef ref : sample) {
    const PostSlot& post = state.posts[ref];
    const Uuid& id = post.id.value;
    Note(facts, PostName(id, "author " + state.users[post.author].id.ToString()), 1);
    Note(facts, PostName(id, "time"), post.created_at);
    Note(facts, PostName(id, "deletion"), post.deleted ? 1 : 0);
    Note(facts, PostName(id, "likes"), post.likes);
    Note(facts, PostName(id, "comments"), post.comments);
    Note(facts, PostName(id, "shares"), post.shares);
    Note(facts, PostName(id, "impressions"), post.impressions);
    Note(facts, PostName(id, "views"), post.views);
    for (const auto& [hour, table] : state.hours) {
      const auto found = table.find(ref);
      if (found == table.end()) continue;
      Note(facts, HourName(id, hour, "likes"), found->second.likes);
      Note(facts, HourName(id, hour, "comments"), found->second.comments);
      Note(facts, HourName(id, hour, "shares"), found->second.shares);
      Note(facts, HourName(id, hour, "impressions"), found->second.impressions);
    }
  }
}

// ---------------------------------------------------------------------------------------------- as the warehouse has
// it

class WarehouseFacts {
 public:
  WarehouseFacts(Olap* olap, const WarehouseSampleOptions& options, Facts* facts)
      : olap_(olap), options_(options), facts_(facts) {}

  // Each gives an error of the port.
  Status NoteSizes() {
    return Take("sample_counts", {}, [this](OlapRows& rows) {
      const std::string what(rows.String());
      Note(facts_, "number of " + what, rows.Int64());
    });
  }

  Status NoteFollows(const OlapParams& params) {
    return Take("sample_follows", params, [this](OlapRows& rows) {
      const Uuid follower = rows.Id();
      const Uuid followee = rows.Id();
      NoteFollow(facts_, follower, followee, rows.Int64());
    });
  }

  Status NoteInteractions(const OlapParams& params) {
    return Take("sample_interactions", params, [this](OlapRows& rows) {
      const Uuid user = rows.Id();
      const Uuid author = rows.Id();
      const std::int64_t day = rows.UInt16();
      Note(facts_, InteractionName(user, author, day), rows.Int64());
    });
  }

  Status NotePosts(const OlapParams& params) {
    return Take("sample_posts", params, [this](OlapRows& rows) {
      const Uuid id = rows.Id();
      Note(facts_, PostName(id, "author " + rows.Id().ToString()), 1);
      Note(facts_, PostName(id, "time"), rows.Int64());
      Note(facts_, PostName(id, "deletion"), rows.UInt8());
      for (const char* what : {"likes", "comments", "shares", "impressions", "views"}) {
        Note(facts_, PostName(id, what), rows.Int64());
      }
    });
  }

  Status NoteHours(const OlapParams& params) {
    return Take("sample_hours", params, [this](OlapRows& rows) {
      const Uuid id = rows.Id();
      const std::int64_t hour = rows.UInt32() / kSecondsPerHour;
      for (const char* what : {"likes", "comments", "shares", "impressions"}) {
        Note(facts_, HourName(id, hour, what), rows.Int64());
      }
    });
  }

 private:
  template <class TakeRow>
  Status Take(std::string_view statement, const OlapParams& params, const TakeRow& take) {
    OlapCall call;
    call.deadline = options_.deadline;
    Result<OlapRows> rows = olap_->Query(WarehouseSql(statement), params, call);
    if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
    while (!rows->AtEnd()) take(*rows);
    return {};
  }

  Olap* const olap_;
  const WarehouseSampleOptions& options_;
  Facts* const facts_;
};

// What both are to say, and what is asked for it.
struct Asked {
  OlapParams sample;
  Facts facts;
};

Asked FactsOfIndex(const IndexState& state, const WarehouseSampleOptions& options) {
  const Sample sample = DrawSample(state, options);
  Asked asked;
  NoteSizes(state, &asked.facts);
  NoteUsers(state, sample.users, OldestComparedDay(state, options), &asked.facts);
  NotePosts(state, sample.posts, &asked.facts);
  const auto user_id = [&](UserRef ref) { return state.users[ref].id.value; };
  const auto post_id = [&](PostRef ref) { return state.posts[ref].id.value; };
  const auto author_id = [&](PostRef ref) { return user_id(state.posts[ref].author); };
  asked.sample = {{"users", OlapIdArray(sample.users, user_id)},
                  {"posts", OlapIdArray(sample.posts, post_id)},
                  {"authors", OlapIdArray(sample.posts, author_id)},
                  {"oldest_day", std::to_string(OldestComparedDay(state, options))},
                  {"oldest_hour_seconds", std::to_string(state.OldestHour() * kSecondsPerHour)}};
  return asked;
}

Status FactsOfWarehouse(Olap* olap, const WarehouseSampleOptions& options, const OlapParams& sample, Facts* facts) {
  WarehouseFacts warehouse(olap, options, facts);
  if (Status done = warehouse.NoteSizes(); !done) return done;
  if (Status done = warehouse.NoteFollows(sample); !done) return done;
  if (Status done = warehouse.NoteInteractions(sample); !done) return done;
  if (Status done = warehouse.NotePosts(sample); !done) return done;
  return warehouse.NoteHours(sample);
}

std::int64_t NumberOf(const Facts& facts, const std::string& name) {
  const auto found = facts.find(name);
  return found == facts.end() ? 0 : found->second;
}

std::vector<std::string> Differences(const Facts& index, const Facts& warehouse) {
  std::vector<std::string> differences;
  const auto compare = [&](const std::string& name) {
    const std::int64_t here = NumberOf(index, name);
    const std::int64_t there = NumberOf(warehouse, name);
    if (here != there) {
      differences.push_back(name + ": " + std::to_string(here) + " in the index, " + std::to_string(there) + " by SQL");
    }
  };
  for (const auto& [name, number] : index) compare(name);
  for (const auto& [name, number] : warehouse) {
    if (!index.contains(name)) compare(name);
  }
  return differences;
}

Status Verdict(const std::vector<std::string>& differences, std::uint64_t seed) {
  if (differences.empty()) return {};
  std::string detail = "The index differs from the warehouse in " + std::to_string(differences.size()) +
                       " numbers of the sample (seed " + std::to_string(seed) + ")";
  for (std::size_t i = 0; i < std::min(kNamedDifferences, differences.size()); ++i) {
    detail += (i == 0 ? ": " : "; ") + differences[i];
  }
  return Fail(Failure::kConflict, kBootMismatch, detail + ".");
}

}  // namespace

Status CompareWithWarehouse(const FeedIndex& index, Olap* olap, const WarehouseSampleOptions& options) {
  const Asked asked = index.ReadLong([&](const IndexState& state) { return FactsOfIndex(state, options); });
  Facts warehouse;
  try {
    if (Status done = FactsOfWarehouse(olap, options, asked.sample, &warehouse); !done) return done;
  } catch (const std::out_of_range& error) {
    return Fail(Failure::kInternal, "olap_error", error.what());
  }
  return Verdict(Differences(asked.facts, warehouse), options.seed);
}

}  // namespace novafeed
