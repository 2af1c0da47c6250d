// OpenSqliteEventLog: the port of the event log over events.db. One partition. What it has forgotten stays in totals.
#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "adapters/sqlite/connection_pool.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/event_tables.h"
#include "adapters/sqlite/group_writer.h"
#include "adapters/sqlite/migrations.h"
#include "adapters/sqlite/open.h"
#include "adapters/sqlite/scrub.h"

namespace novafeed {
namespace sqlite {
namespace {

constexpr std::size_t kForgottenBatch = 1000;
constexpr std::size_t kPartition = 0;

// Gives all rows of the statement to `take`, in batches of what `read` makes of a row.
template <class T, class Read>
void TakeInBatches(Statement& statement, const std::function<void(const std::vector<T>&)>& take, Read read) {
  std::vector<T> batch;
  for (Rows rows = statement.Query(); rows.Next();) {
    batch.push_back(read(rows));
    if (batch.size() == kForgottenBatch) {
      take(batch);
      batch.clear();
    }
  }
  if (!batch.empty()) {
    take(batch);
  }
}

void ReadTotals(Database& database, const EventLog::TakeTotals& take) {
  Statement statement(database, "reading totals of forgotten events",
                      "SELECT post, post_author, post_created_at, shares, impressions, views FROM forgotten_totals");
  TakeInBatches(statement, take, [](const Rows& rows) {
    return ForgottenTotals{PostId{rows.Id(0)}, UserId{rows.Id(1)}, rows.Int(2), rows.Int(3), rows.Int(4), rows.Int(5)};
  });
}

void ReadInteractions(Database& database, const EventLog::TakeInteractions& take) {
  Statement statement(database, "reading interactions of forgotten events",
                      "SELECT user, author, day, count FROM forgotten_interactions");
  TakeInBatches(statement, take, [](const Rows& rows) {
    return InteractionCount{UserId{rows.Id(0)}, UserId{rows.Id(1)}, rows.Int(2), rows.Int(3)};
  });
}

// Counts of a batch of events that is being forgotten, by post, and by user, author and day. Likes and unlikes count
// nowhere: their truth is state.
class Folding {
 public:
  explicit Folding(std::int64_t oldest_day) : oldest_day_(oldest_day) {}

  void Add(const Event& event) {
    if (IsInteraction(event) && DayOf(event.at) >= oldest_day_) {
      ++interactions_[{DayOf(event.at), event.user, event.post_author}];
    }
    ForgottenTotals& totals = totals_[event.post];
    totals.post = event.post;
    totals.post_author = event.post_author;
    totals.post_created_at = event.post_created_at;
    totals.shares += event.type == EventType::kShare ? 1 : 0;
    totals.impressions += event.type == EventType::kImpression ? 1 : 0;
    totals.views += event.type == EventType::kView ? 1 : 0;
  }

  void WriteTo(Statement& add_totals, Statement& add_interactions) const {
    for (const auto& [key, count] : interactions_) {
      const auto& [day, user, author] = key;
      add_interactions.Execute(day, user, author, count);
    }
    for (const auto& [post, totals] : totals_) {
      if (totals.shares + totals.impressions + totals.views > 0) {
        add_totals.Execute(post, totals.post_author, totals.post_created_at, totals.shares, totals.impressions,
                           totals.views);
      }
    }
  }

 private:
  const std::int64_t oldest_day_;
  std::map<std::tuple<std::int64_t, UserId, UserId>, std::int64_t> interactions_;
  std::unordered_map<PostId, ForgottenTotals, StrongIdHash<PostId>> totals_;
};

// Where they are written. Writer thread only, inside its transaction.
class TotalsTables {
 public:
  explicit TotalsTables(Database& database)
      : hide_in_totals_(database, "hiding an author in the totals",
                        "UPDATE forgotten_totals SET post_author = ?2 WHERE post_author = ?1"),
        add_hidden_interactions_(
            database, "hiding a user in the interactions",
            "INSERT INTO forgotten_interactions (day, user, author, count) "
            "SELECT day, iif(user = ?1, ?2, user), iif(author = ?1, ?2, author), count FROM forgotten_interactions "
            "WHERE user = ?1 OR author = ?1 ON CONFLICT DO UPDATE SET count = count + excluded.count"),
        drop_hidden_interactions_(database, "dropping a hidden user's interactions",
                                  "DELETE FROM forgotten_interactions WHERE user = ?1 OR author = ?1"),
        add_totals_(database, "adding up forgotten events",
                    "INSERT INTO forgotten_totals (post, post_author, post_created_at, shares, impressions, views) "
                    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (post) DO UPDATE SET shares = shares + excluded.shares, "
                    "impressions = impressions + excluded.impressions, views = views + excluded.views"),
        add_interactions_(database, "adding up interactions of forgotten events",
                          "INSERT INTO forgotten_interactions (day, user, author, count) VALUES (?, ?, ?, ?) "
                          "ON CONFLICT DO UPDATE SET count = count + excluded.count"),
        drop_interactions_(database, "dropping old interactions of forgotten events",
                           "DELETE FROM forgotten_interactions WHERE day < ?") {}

  void Add(const Folding& folding) { folding.WriteTo(add_totals_, add_interactions_); }
  void DropInteractionsBefore(std::int64_t day) { drop_interactions_.Execute(day); }

  void Hide(std::span<const Erasure> erased) {
    for (const Erasure& erasure : erased) {
      hide_in_totals_.Execute(erasure.user, erasure.pseudonym);
      add_hidden_interactions_.Execute(erasure.user, erasure.pseudonym);
      drop_hidden_interactions_.Execute(erasure.user);
    }
  }

 private:
  Statement hide_in_totals_;
  Statement add_hidden_interactions_;
  Statement drop_hidden_interactions_;
  Statement add_totals_;
  Statement add_interactions_;
  Statement drop_interactions_;
};

// One Append on its way through the writer.
struct Batch {
  std::vector<Event> events;
  std::vector<Uuid> identities;
  std::vector<bool> duplicate;
  bool log_full = false;
};

class SqliteEventLog final : public EventLog {
 public:
  explicit SqliteEventLog(const SqliteOptions& options)
      : clock_(options.clock),
        max_bytes_(options.max_event_bytes),
        path_(options.directory + "/events.db"),
        database_(path_, FileKind::kEvents, EventMigrations()),
        readers_(path_, options.readers),
        tables_(database_),
        totals_(database_),
        writer_(
            &database_, readers_.Borrow()->LastSequence(kPartition),
            {.store = "events", .max_queued = options.max_queued_events, .checkpoint_pages = options.checkpoint_pages},
            options.metrics) {}

  void Append(std::vector<Event> events, Done done) override {
    auto batch = std::make_shared<Batch>();
    batch->events = std::move(events);
    batch->identities.reserve(batch->events.size());
    for (const Event& event : batch->events) {
      batch->identities.push_back(EventIdentity(event));
    }
    const std::size_t weight = batch->events.size();
    writer_.Submit([this, batch](Sequence& sequence) { AppendBatch(*batch, sequence); },
                   [this, batch, done = std::move(done)](Result<std::int64_t> end) { Answer(*batch, end, done); },
                   weight);
  }

  std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) override {
    const auto reader = readers_.Borrow();
    const ReadTransaction cut(&reader.database());
    return reader->Read(after, limit, kPartition);
  }
  EventPoints End() override { return {writer_.End()}; }

  EventPoints ReadForgotten(const TakeTotals& take_totals, const TakeInteractions& take_interactions) override {
    Database database(path_, Access::kRead);
    const ReadTransaction transaction(&database);
    const EventPoints through = EventReader(database).HowFarForgotten().through;
    ReadTotals(database, take_totals);
    ReadInteractions(database, take_interactions);
    return through;
  }

  Forgotten HowFarForgotten() override { return readers_.Borrow()->HowFarForgotten(); }

  std::int64_t Forget(TimeMs before, const EventPoints& applied) override {
    std::int64_t total = 0;
    std::int64_t batch = EventTables::kForgetBatch;
    while (batch == EventTables::kForgetBatch) {
      writer_.RunBlocking([&](Sequence&) { batch = ForgetBatch(before, applied[kPartition]); });
      total += batch;
    }
    return total;
  }

  void Hide(std::span<const Erasure> erased) override {
    writer_.RunBlocking([&](Sequence&) {
      tables_.AddPseudonyms(erased);
      totals_.Hide(erased);
    });
    HideInEvents(path_, erased, &writer_, &tables_);
    // Events that were forgotten meanwhile have brought the names back into what is kept of them.
    writer_.RunBlocking([&](Sequence&) { totals_.Hide(erased); });
  }

  std::int64_t Scrub() override { return ScrubFile(&database_, &writer_); }

  void OnCommit(std::function<void()> notify) override { writer_.OnCommit(std::move(notify)); }

 private:
  std::int64_t ForgetBatch(TimeMs before, std::int64_t applied) {
    Folding folding(OldestForgottenDay(before));
    const auto fold = [&folding](const Event& event) { folding.Add(event); };
    const std::int64_t forgotten = tables_.Forget(kPartition, before, applied, fold);
    totals_.Add(folding);
    totals_.DropInteractionsBefore(OldestForgottenDay(before));
    return forgotten;
  }

  // The limit is looked at before a batch, so the file may pass it by one batch. Not by throwing: others in the group,
  // a Forget among them, go on.
  void AppendBatch(Batch& batch, Sequence& sequence) {
    batch.log_full = max_bytes_ > 0 && tables_.LiveBytes() >= max_bytes_;
    if (batch.log_full) {
      return;
    }
    const TimeMs now = clock_->Now();
    batch.duplicate.assign(batch.events.size(), false);
    for (std::size_t i = 0; i < batch.events.size(); ++i) {
      const Event& event = batch.events[i];
      const Uuid& identity = batch.identities[i];
      batch.duplicate[i] = !tables_.Remember({event.at, identity});
      if (!batch.duplicate[i]) {
        tables_.Insert({kPartition, sequence.Next(), now, event}, identity);
      }
    }
  }

  void Answer(Batch& batch, const Result<std::int64_t>& end, const Done& done) {
    if (!end) {
      done(tl::unexpected(end.error()));
    } else if (batch.log_full) {
      const Error error = {Failure::kStorageFull, "log_full",
                           "The event log has reached its size limit (" + std::to_string(max_bytes_) +
                               " bytes): raise the limit, or shorten the time that events are kept.",
                           0};
      writer_.report().Refused(error);
      done(tl::unexpected(error));
    } else {
      done(Appended{{*end}, std::move(batch.duplicate)});
    }
  }

  const Clock* clock_;
  const std::int64_t max_bytes_;
  const std::string path_;
  MigratedDatabase database_;  // the writer's
  ConnectionPool<EventReader> readers_;
  EventTables tables_;
  TotalsTables totals_;
  GroupWriter writer_;  // last: its thread uses the members above
};

}  // namespace
}  // namespace sqlite

std::unique_ptr<EventLog> OpenSqliteEventLog(const SqliteOptions& options) {
  return std::make_unique<sqlite::SqliteEventLog>(options);
}

}  // namespace novafeed
