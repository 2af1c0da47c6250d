#include "check/mender.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <utility>

#include "check/facts.h"
#include "graph/store.h"
#include "warehouse/refresh.h"
#include "warehouse/sql.h"

namespace novafeed {
namespace {

constexpr std::size_t kBatch = 4096;
constexpr std::size_t kLandAtOnce = 20'000;
// Rows of totals in one call: they travel as a parameter.
constexpr std::size_t kTotalsAtOnce = 40;
constexpr std::array<std::size_t, 3> kEventColumns = {2, 3, 4};  // of kPostTotals and kIndexPosts
constexpr std::string_view kLandingFormat = "LineAsString";

const OlapCall kShortCall{std::chrono::seconds(60)};
const OlapCall kChangeCall{std::chrono::seconds(1800),
                           {{"async_insert", "0"},
                            {"max_partitions_per_insert_block", "0"},
                            {"optimize_aggregation_in_order", "1"},
                            {"mutations_sync", "2"}}};

// Carries an error out of a callback of the log.
struct LandingFailed {
  Error error;
};

std::string BytesOf(const Uuid& id) {
  return std::string(FactKey().Add(id).bytes());
}
std::string BytesOf(UserId user, UserId author) {
  return std::string(FactKey().Add(user.value).Add(author.value).bytes());
}

std::set<std::string> KeysOf(std::span<const Difference> differences) {
  std::set<std::string> keys;
  for (const Difference& difference : differences) keys.insert(difference.key);
  return keys;
}

std::vector<std::uint16_t> BucketsOf(std::span<const Difference> differences) {
  std::set<std::uint16_t> buckets;
  for (const Difference& difference : differences) buckets.insert(static_cast<std::uint16_t>(BucketOf(difference.key)));
  return {buckets.begin(), buckets.end()};
}

// Zeros where the key is not there.
Values ValuesAt(const RelationEntries& entries, const std::string& key) {
  const auto entry = entries.entries().find(key);
  return entry == entries.entries().end() ? Values{} : entry->second;
}

// Whether what was deleted comes back from the change log, too.
bool LandsChanges(Relation relation) {
  switch (relation) {
    case Relation::kEvents:
    case Relation::kPostCounters:
    case Relation::kHourCounters:
    case Relation::kFollowGraph:
    case Relation::kUserFollows:
      return false;
    default:
      return true;
  }
}

// A like or a comment, as far as sets go by it.
struct Act {
  UserId user;
  PostId post;
  UserId post_author;
};
std::optional<Act> ActOf(const Row& row) {
  if (const auto* like = std::get_if<Like>(&row)) return Act{like->user, like->post, like->post_author};
  if (const auto* comment = std::get_if<Comment>(&row)) return Act{comment->user, comment->post, comment->post_author};
  return std::nullopt;
}

std::int64_t NumberAt(std::string_view key, std::size_t at) {
  std::int64_t number = 0;
  std::memcpy(&number, key.data() + at, sizeof number);
  return number;
}

std::string Quoted(const std::string& id) {
  return "'" + id + "'";
}

// What is expected beyond what is there; 0 where nothing is.
std::uint64_t Rest(const Values& expected, const Values& found, std::size_t column) {
  const auto rest = static_cast<std::int64_t>(expected[column] - found[column]);
  return rest > 0 ? static_cast<std::uint64_t>(rest) : 0;
}

// A tuple of land_forgotten_totals: post, author, time, shares, impressions, views. Empty where nothing is missing.
std::string RestOfTotals(const Difference& difference, const Values& found) {
  std::string counts;
  bool is_some = false;
  for (const std::size_t column : kEventColumns) {
    const std::uint64_t rest = Rest(difference.expected, found, column);
    is_some = is_some || rest > 0;
    counts += "," + std::to_string(rest);
  }
  if (!is_some) return {};
  const std::vector<std::string> names = KeyTexts(Relation::kPostTotals, difference.key);
  return "(" + Quoted(names[2]) + "," + Quoted(names[0]) + "," + std::to_string(NumberAt(difference.key, 16)) + counts +
         ")";
}

// A tuple of land_forgotten_interactions: user, author, day, count.
std::string RestOfInteractions(const Difference& difference, const Values& found) {
  const std::uint64_t rest = Rest(difference.expected, found, 0);
  if (rest == 0) return {};
  const std::vector<std::string> names = KeyTexts(Relation::kInteractions, difference.key);
  return "(" + Quoted(names[0]) + "," + Quoted(names[1]) + "," + std::to_string(NumberAt(difference.key, 32)) + "," +
         std::to_string(rest) + ")";
}

}  // namespace

Mender::Mender(Olap* olap, WarehouseFacts* facts, ChangeFeed* changes, EventLog* events, const Position& warehouse_at,
               std::optional<std::int64_t>* first_kept, std::function<void()> require_alone)
    : olap_(olap),
      facts_(facts),
      changes_(changes),
      events_(events),
      warehouse_at_(warehouse_at),
      first_kept_(first_kept),
      require_alone_(std::move(require_alone)) {}

Status Mender::Mend(Relation relation, const std::vector<Difference>& differences) {
  // Looked for before anything is deleted: it may not be found.
  if (LandsChanges(relation)) static_cast<void>(FirstKeptChange());
  switch (relation) {
    case Relation::kUsers:
    case Relation::kPosts:
    case Relation::kComments:
    case Relation::kLikes:
    case Relation::kFollows:
      return MendState(relation, differences);
    case Relation::kEvents:
      return MendEvents(differences);
    case Relation::kPostTotals:
      return MendTotals(differences);
    case Relation::kPostHours:
      return MendHours(differences);
    case Relation::kInteractions:
      return MendInteractions(differences);
    case Relation::kPostCounters:
    case Relation::kHourCounters:
      return MendRefreshed(relation, differences);
    case Relation::kFollowGraph:
      return MendFollowGraph(differences);
    case Relation::kUserFollows:
      return MendUserFollows(differences);
    case Relation::kIndexPosts:
      return MendEventTotals(differences);
    default:
      return Fail(Failure::kInternal, "not_of_the_warehouse", "The index is not mended here.");
  }
}

// The log says how the row came to be what it is, up to its deletion: with that, none of its entries can be replayed
// into something else. What the log has forgotten of a row that is there comes from the graph.
Status Mender::MendState(Relation relation, const std::vector<Difference>& differences) try {
  if (Status deleted = DeleteKeys(relation, differences); !deleted) return deleted;
  const std::set<std::string> keys = KeysOf(differences);
  const auto is_wanted = [&](const Row& row) {
    return RelationOf(row) == relation && keys.contains(std::string(KeyOfRow(row).bytes()));
  };
  if (Status landed = LandLogged(is_wanted); !landed) return landed;
  changes_->ReadState([&](const std::vector<Change>& rows) {
    for (Change row : rows) {
      if (!is_wanted(*row.after)) continue;
      row.sequence = warehouse_at_.changes;
      if (const Status landed = Land(LandingLineOf(row)); !landed) throw LandingFailed{landed.error()};
    }
  });
  return FlushLanding();
} catch (const LandingFailed& failed) {
  return tl::unexpected<Error>(failed.error);
}

Status Mender::MendEvents(const std::vector<Difference>& differences) {
  if (Status deleted = DeleteKeys(Relation::kEvents, differences); !deleted) return deleted;
  const std::set<std::string> keys = KeysOf(differences);
  return LandLoggedEvents([&](const Event& event) { return keys.contains(std::string(KeyOfEvent(event).bytes())); });
}

Status Mender::MendTotals(std::vector<Difference> differences) {
  if (Status expected = ExpectEventsAsFound(&differences); !expected) return expected;
  if (Status deleted = DeleteKeys(Relation::kPostTotals, differences); !deleted) return deleted;
  std::set<std::string> posts;
  for (const Difference& difference : differences) posts.insert(difference.key.substr(24, 16));
  if (Status made = RemakeSetsOfPosts(posts); !made) return made;
  return LandForgotten(Relation::kPostTotals, differences);
}

Status Mender::ExpectEventsAsFound(std::vector<Difference>* differences) {
  if (facts_->windows().events.totals) return {};
  const Result<RelationEntries> found =
      facts_->ReadEntries(Relation::kPostTotals, WarehouseSide::kFound, BucketsOf(*differences), true);
  if (!found) return tl::unexpected<Error>(found.error());
  for (Difference& difference : *differences) {
    const Values values = ValuesAt(*found, difference.key);
    for (const std::size_t column : kEventColumns) difference.expected[column] = values[column];
  }
  return {};
}

// The rows, and what the sets say beyond them, are of the warehouse's position; the index is at another one. But it
// differs from the sets by as much as it would there.
Status Mender::MendEventTotals(const std::vector<Difference>& differences) {
  const std::vector<std::uint16_t> buckets = BucketsOf(differences);
  const Result<RelationEntries> rows = facts_->ReadEventsOfPosts(buckets);
  if (!rows) return tl::unexpected<Error>(rows.error());
  const Result<RelationEntries> sets = facts_->ReadIndexEntries(Relation::kIndexPosts, {}, buckets);
  if (!sets) return tl::unexpected<Error>(sets.error());
  std::set<std::string> posts;
  for (const Difference& difference : differences) {
    const Values in_rows = ValuesAt(*rows, difference.key);
    const Values in_sets = ValuesAt(*sets, difference.key);
    const bool is_of_events = std::ranges::any_of(
        kEventColumns, [&](std::size_t column) { return difference.expected[column] != difference.found[column]; });
    const bool is_as_indexed = std::ranges::all_of(kEventColumns, [&](std::size_t column) {
      return in_rows[column] + difference.expected[column] == in_sets[column] + difference.found[column];
    });
    if (is_of_events && is_as_indexed) posts.insert(difference.key);
  }
  if (posts.empty()) return {};
  if (Status put = facts_->PutKeys({posts.begin(), posts.end()}); !put) return put;
  require_alone_();
  const Status deleted = Execute("ALTER TABLE " + TableOf(Relation::kPostTotals) +
                                 " DELETE WHERE concat(UUIDToNum(post_id), '') IN " + std::string(kKeys));
  return deleted ? RemakeSetsOfPosts(posts) : deleted;
}

Status Mender::MendHours(const std::vector<Difference>& differences) {
  if (Status deleted = DeleteKeys(Relation::kPostHours, differences); !deleted) return deleted;
  std::set<std::string> posts;
  for (const Difference& difference : differences) posts.insert(difference.key.substr(0, 16));
  return RemakeSetsOfPosts(posts);
}

Status Mender::MendInteractions(const std::vector<Difference>& differences) {
  if (Status deleted = DeleteKeys(Relation::kInteractions, differences); !deleted) return deleted;
  std::set<std::string> pairs;
  for (const Difference& difference : differences) pairs.insert(difference.key.substr(0, 32));
  if (Status made = RemakeSetsOfPeople(pairs); !made) return made;
  return LandForgotten(Relation::kInteractions, differences);
}

Status Mender::MendRefreshed(Relation relation, const std::vector<Difference>& differences) {
  if (Status deleted = DeleteKeys(relation, differences); !deleted) return deleted;
  const bool of_posts = relation == Relation::kPostCounters;
  const Relation source = of_posts ? Relation::kPostTotals : Relation::kPostHours;
  const std::string columns = of_posts ? "author_id, created_at, post_id" : "metric_hour, post_id";
  const std::string touched = of_posts ? "novafeed.touched_posts" : "novafeed.touched_hours";
  const std::string sql = "INSERT INTO " + touched + " (" + columns + ") SELECT DISTINCT " + columns + " FROM " +
                          TableOf(source) + " WHERE " + KeyExpression(source) + " IN " + std::string(kKeys);
  if (Status put = Execute(sql); !put) return put;
  return Refresh();
}

Status Mender::MendFollowGraph(const std::vector<Difference>& differences) {
  if (Status deleted = DeleteKeys(Relation::kFollowGraph, differences); !deleted) return deleted;
  const std::string columns = "following_id, follower_id, created_at, _version, _deleted";
  return Execute("INSERT INTO novafeed.follow_graph (" + columns + ") SELECT " + columns +
                 " FROM novafeed.follows_cdc WHERE " + KeyExpression(Relation::kFollowGraph) + " IN " +
                 std::string(kKeys));
}

Status Mender::MendUserFollows(const std::vector<Difference>& differences) {
  if (Status deleted = DeleteKeys(Relation::kUserFollows, differences); !deleted) return deleted;
  const Status put = Execute(
      "INSERT INTO novafeed.touched_users (user_id) SELECT DISTINCT user_id FROM (SELECT arrayJoin([follower_id, "
      "following_id]) AS user_id FROM novafeed.follows_cdc) WHERE " +
      KeyExpression(Relation::kUserFollows) + " IN " + std::string(kKeys));
  return put ? Refresh() : put;
}

// ------------------------------------------------------------------------------------------------------------- pieces

Status Mender::DeleteKeys(Relation relation, const std::vector<Difference>& differences) {
  const std::set<std::string> keys = KeysOf(differences);
  if (Status put = facts_->PutKeys({keys.begin(), keys.end()}); !put) return put;
  require_alone_();
  return Execute("ALTER TABLE " + TableOf(relation) + " DELETE WHERE " + KeyExpression(relation) + " IN " +
                 std::string(kKeys));
}

Status Mender::RemakeSetsOfPosts(const std::set<std::string>& posts) {
  if (Status put = facts_->PutKeys({posts.begin(), posts.end()}); !put) return put;
  const std::string in_keys = " IN " + std::string(kKeys);
  if (Status done = InsertAgain("posts_cdc", "concat(UUIDToNum(id), '')" + in_keys); !done) return done;
  for (const std::string_view table : {"likes_cdc", "comments_cdc", "events_raw"}) {
    if (Status done = InsertAgain(table, "concat(UUIDToNum(post_id), '')" + in_keys); !done) return done;
  }
  // Also those of events whose rows are not compared: what is missing then is not in the log.
  const auto is_of_posts = [&](const Event& event) { return posts.contains(BytesOf(event.post.value)); };
  if (Status done = LandLoggedEvents(is_of_posts); !done) return done;
  return LandLogged([&](const Row& row) {
    const std::optional<Act> act = ActOf(row);
    return act && posts.contains(BytesOf(act->post.value));
  });
}

Status Mender::RemakeSetsOfPeople(const std::set<std::string>& pairs) {
  if (Status put = facts_->PutKeys({pairs.begin(), pairs.end()}); !put) return put;
  for (const std::string_view table : {"likes_cdc", "comments_cdc", "events_raw"}) {
    const std::string condition = "concat(UUIDToNum(user_id), UUIDToNum(post_author_id), '') IN " + std::string(kKeys);
    if (Status done = InsertAgain(table, condition); !done) return done;
  }
  const auto is_of_pairs = [&](const Event& event) { return pairs.contains(BytesOf(event.user, event.post_author)); };
  if (Status done = LandLoggedEvents(is_of_pairs); !done) return done;
  return LandLogged([&](const Row& row) {
    const std::optional<Act> act = ActOf(row);
    return act && pairs.contains(BytesOf(act->user, act->post_author));
  });
}

Status Mender::InsertAgain(std::string_view table, const std::string& condition) {
  const std::string name = "novafeed." + std::string(table);
  return Execute("INSERT INTO " + name + " SELECT * FROM " + name + " WHERE " + condition);
}

Status Mender::LandLogged(const std::function<bool(const Row& row)>& is_wanted) {
  std::int64_t at = FirstKeptChange();
  while (at < warehouse_at_.changes) {
    const std::vector<Change> batch = changes_->Read(at, kBatch);
    if (batch.empty()) break;
    for (const Change& change : batch) {
      at = change.sequence;
      if (at > warehouse_at_.changes || !is_wanted(change.Latest())) continue;
      if (Status landed = Land(LandingLineOf(change)); !landed) return landed;
    }
  }
  return FlushLanding();
}

Status Mender::LandLoggedEvents(const std::function<bool(const Event& event)>& is_wanted) {
  EventPoints at = events_->HowFarForgotten().through;
  while (!Reached(warehouse_at_.events, at)) {
    const std::vector<LoggedEvent> batch = events_->Read(at, kBatch);
    if (batch.empty()) break;
    for (const LoggedEvent& logged : batch) {
      Advance(&at, logged);
      if (!logged.IsWithin(warehouse_at_.events) || !is_wanted(logged.event)) continue;
      if (Status landed = Land(LandingLineOf(logged)); !landed) return landed;
    }
  }
  return FlushLanding();
}

Status Mender::LandForgotten(Relation relation, const std::vector<Difference>& differences) {
  const Result<RelationEntries> now =
      facts_->ReadEntries(relation, WarehouseSide::kFound, BucketsOf(differences), true);
  if (!now) return tl::unexpected<Error>(now.error());

  const bool of_posts = relation == Relation::kPostTotals;
  const std::string_view statement = of_posts ? "land_forgotten_totals" : "land_forgotten_interactions";
  std::vector<std::string> tuples;
  for (const Difference& difference : differences) {
    const Values found = ValuesAt(*now, difference.key);
    std::string tuple = of_posts ? RestOfTotals(difference, found) : RestOfInteractions(difference, found);
    if (!tuple.empty()) tuples.push_back(std::move(tuple));
  }
  for (std::size_t begin = 0; begin < tuples.size(); begin += kTotalsAtOnce) {
    std::string rows = "[";
    const std::size_t end = std::min(tuples.size(), begin + kTotalsAtOnce);
    for (std::size_t i = begin; i < end; ++i) rows += (i > begin ? "," : "") + tuples[i];
    if (Status landed = Execute(std::string(WarehouseSql(statement)), {{"rows", rows + "]"}}); !landed) return landed;
  }
  return {};
}

// As the sink does. Where it refreshed the same row with this version, the later one holds; its next version is above.
Status Mender::Refresh() {
  Result<OlapRows> greatest = olap_->Query(WarehouseSql("greatest_version"), {}, kShortCall);
  if (!greatest) return tl::unexpected<Error>(std::move(greatest.error()));
  return SettleTouched(olap_, greatest->UInt64());
}

Status Mender::Land(const LandingLine& line) {
  landing_.Add(line);
  return landing_.rows() < kLandAtOnce ? Status() : FlushLanding();
}

Status Mender::FlushLanding() {
  for (std::size_t table = 0; table < kLandingTables.size(); ++table) {
    if (landing_.RowsOf(table) == 0) continue;
    const Status landed = olap_->Insert(LandingLinesOf(table), kLandingFormat, landing_.LinesOf(table), kChangeCall);
    if (!landed) return landed;
  }
  landing_.Clear();
  return {};
}

bool Mender::KeepsChangesBehind(std::int64_t sequence) try {
  changes_->Read(sequence, 1);
  return true;
} catch (const StoreError& error) {
  if (error.error().code != "log_forgotten") throw;
  return false;
}

// A log may have gaps (a new snapshot), so that its first place is not where to begin.
std::int64_t Mender::FirstKeptChange() {
  if (*first_kept_) return **first_kept_;
  std::int64_t from = FirstReadable(0);
  for (std::int64_t at = ReadThrough(from); at < warehouse_at_.changes; at = ReadThrough(from)) {
    from = FirstReadable(at + 1);
  }
  *first_kept_ = from;
  return from;
}

// A place from `low` on that the log can be read from: the first one, where there is no gap behind it.
std::int64_t Mender::FirstReadable(std::int64_t low) {
  std::int64_t high = warehouse_at_.changes;
  while (low < high) {
    require_alone_();
    const std::int64_t middle = low + (high - low) / 2;
    if (KeepsChangesBehind(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// How far the log reads on from there: to the warehouse's position, or to the last change before a gap.
std::int64_t Mender::ReadThrough(std::int64_t at) {
  std::size_t limit = kBatch;
  while (at < warehouse_at_.changes) try {
      require_alone_();
      const std::vector<Change> batch = changes_->Read(at, limit);
      at = batch.empty() ? warehouse_at_.changes : batch.back().sequence;
    } catch (const StoreError& error) {
      if (error.error().code != "log_forgotten") throw;
      if (limit == 1) break;
      limit /= 2;
    }
  return at;
}

Status Mender::Execute(const std::string& sql, const OlapParams& params) {
  return olap_->Execute(sql, params, kChangeCall);
}

}  // namespace novafeed
