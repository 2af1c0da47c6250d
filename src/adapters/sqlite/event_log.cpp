// OpenSqliteEventLog: the port of the event log over events.db.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "adapters/sqlite/connection_pool.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/event_columns.h"
#include "adapters/sqlite/group_writer.h"
#include "adapters/sqlite/migrations.h"
#include "adapters/sqlite/open.h"
#include "adapters/sqlite/scrub.h"
#include "capture/pseudonyms.h"
#include "capture/retention.h"

namespace novafeed {
namespace sqlite {
namespace {

constexpr std::int64_t kForgetBatch = 1000;
constexpr std::size_t kForgottenBatch = 1000;
constexpr std::int64_t kScanned = 20'000;   // events of one read that looks for erased users
constexpr std::size_t kHiddenAtOnce = 500;  // events of one transaction that hides them
constexpr char kFindNames[] =
    "SELECT sequence, user, post_author FROM events WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";

// Of the columns `sequence, received_at, NOVAFEED_EVENT_COLUMNS, identity`.
LoggedEvent ReadLogged(const Rows& rows) {
  LoggedEvent logged{rows.Int(0), rows.Int(1), ReadEvent(rows, 2)};
  constexpr int kIdentity = 2 + kEventColumns;
  if (!rows.IsNull(kIdentity)) {
    logged.identity = rows.Id(kIdentity);
  }
  return logged;
}

// What is read from events.db, over one connection.
class LogReader {
 public:
  explicit LogReader(Database& database)
      : read_(database, "reading the event log",
              "SELECT sequence, received_at, " NOVAFEED_EVENT_COLUMNS
              ", identity FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?"),
        how_far_forgotten_(database, "reading how far events were forgotten",
                           "SELECT forgotten_through, forgotten_latest FROM event_log"),
        last_(database, "reading the end of the event log", "SELECT ifnull(max(sequence), 0) FROM events") {}

  std::vector<LoggedEvent> Read(std::int64_t after, std::size_t limit) {
    std::vector<LoggedEvent> events;
    Rows rows = read_.Query(after, static_cast<std::int64_t>(limit));
    while (rows.Next()) {
      events.push_back(ReadLogged(rows));
    }
    return events;
  }

  EventLog::Forgotten HowFarForgotten() {
    Rows rows = how_far_forgotten_.Query();
    rows.Next();
    return {rows.Int(0), rows.Int(1)};
  }

  // Of the events ever accepted, also where they are forgotten.
  std::int64_t LastSequence() {
    Rows rows = last_.Query();
    rows.Next();
    return std::max(rows.Int(0), HowFarForgotten().through);
  }

 private:
  Statement read_;
  Statement how_far_forgotten_;
  Statement last_;
};

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

// What is written to events.db. Writer thread only, inside its transaction.
class LogTables {
 public:
  explicit LogTables(Database& database)
      : remember_(database, "remembering an event",
                  "INSERT INTO identities (at, digest) VALUES (?, ?) ON CONFLICT DO NOTHING"),
        insert_(database, "appending an event",
                "INSERT INTO events (sequence, received_at, identity, " NOVAFEED_EVENT_COLUMNS
                ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        read_(database, "reading an event",
              "SELECT sequence, received_at, " NOVAFEED_EVENT_COLUMNS ", identity FROM events WHERE sequence = ?"),
        read_oldest_(database, "reading the oldest events",
                     "SELECT sequence, received_at, " NOVAFEED_EVENT_COLUMNS
                     ", identity FROM events ORDER BY sequence LIMIT ?"),
        hide_(database, "hiding a user in the event log",
              "UPDATE events SET user = ?2, post_author = ?3, identity = ?4 WHERE sequence = ?1"),
        hide_in_totals_(database, "hiding an author in the totals",
                        "UPDATE forgotten_totals SET post_author = ?2 WHERE post_author = ?1"),
        add_hidden_interactions_(
            database, "hiding a user in the interactions",
            "INSERT INTO forgotten_interactions (day, user, author, count) "
            "SELECT day, iif(user = ?1, ?2, user), iif(author = ?1, ?2, author), count FROM forgotten_interactions "
            "WHERE user = ?1 OR author = ?1 ON CONFLICT DO UPDATE SET count = count + excluded.count"),
        drop_hidden_interactions_(database, "dropping a hidden user's interactions",
                                  "DELETE FROM forgotten_interactions WHERE user = ?1 OR author = ?1"),
        forget_identity_(database, "forgetting the identity of an event",
                         "DELETE FROM identities WHERE at = ? AND digest = ?"),
        forget_events_(database, "forgetting events", "DELETE FROM events WHERE sequence <= ?"),
        add_totals_(database, "adding up forgotten events",
                    "INSERT INTO forgotten_totals (post, post_author, post_created_at, shares, impressions, views) "
                    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (post) DO UPDATE SET shares = shares + excluded.shares, "
                    "impressions = impressions + excluded.impressions, views = views + excluded.views"),
        add_interactions_(database, "adding up interactions of forgotten events",
                          "INSERT INTO forgotten_interactions (day, user, author, count) VALUES (?, ?, ?, ?) "
                          "ON CONFLICT DO UPDATE SET count = count + excluded.count"),
        drop_interactions_(database, "dropping old interactions of forgotten events",
                           "DELETE FROM forgotten_interactions WHERE day < ?"),
        set_forgotten_(database, "marking events as forgotten",
                       "UPDATE event_log SET forgotten_through = ?, forgotten_latest = max(forgotten_latest, ?)"),
        live_bytes_(database, "measuring the event log",
                    "SELECT (page_count - freelist_count) * page_size "
                    "FROM pragma_page_count, pragma_freelist_count, pragma_page_size") {}

  std::int64_t LiveBytes() {
    Rows rows = live_bytes_.Query();
    rows.Next();
    return rows.Int(0);
  }

  // False where the event is in the log already.
  bool Append(const Event& event, const Uuid& identity, TimeMs now, Sequence& sequence) {
    if (remember_.Execute(event.at, identity) == 0) {
      return false;
    }
    Event stored = event;
    // A request may be late, and bring an event of somebody who was erased a moment ago.
    const bool hidden = pseudonyms_.Hide(&stored);
    InsertEvent(insert_, stored, sequence.Next(), now, hidden ? std::optional(identity) : std::nullopt);
    return true;
  }

  // From now on the pseudonyms stand for these users, in what is appended and in what is kept of forgotten events.
  void Hide(std::span<const Erasure> erased) {
    pseudonyms_.Add(erased);
    for (const Erasure& erasure : erased) {
      hide_in_totals_.Execute(erasure.user, erasure.pseudonym);
      add_hidden_interactions_.Execute(erasure.user, erasure.pseudonym);
      drop_hidden_interactions_.Execute(erasure.user);
    }
  }

  // In one event, which remembers its identity.
  void Hide(std::int64_t sequence) {
    Rows rows = read_.Query(sequence);
    if (!rows.Next()) {
      return;  // forgotten meanwhile
    }
    LoggedEvent logged = ReadLogged(rows);
    const Uuid identity = logged.Identity();
    if (pseudonyms_.Hide(&logged.event)) {
      hide_.Execute(sequence, logged.event.user, logged.event.post_author, identity);
    }
  }

  // Forgets the oldest events, as long as they are older than `before` and not beyond `applied`; one batch of them.
  std::int64_t Forget(TimeMs before, std::int64_t applied) {
    Folding folding(OldestForgottenDay(before));
    std::int64_t forgotten = 0;
    std::int64_t through = 0;
    TimeMs latest = 0;
    for (Rows rows = read_oldest_.Query(kForgetBatch); rows.Next();) {
      const LoggedEvent logged = ReadLogged(rows);
      if (logged.sequence > applied || logged.LatestTime() >= before) {
        break;
      }
      folding.Add(logged.event);
      forget_identity_.Execute(logged.event.at, logged.Identity());
      through = logged.sequence;
      latest = std::max(latest, logged.event.at);
      ++forgotten;
    }
    if (forgotten > 0) {
      folding.WriteTo(add_totals_, add_interactions_);
      forget_events_.Execute(through);
      set_forgotten_.Execute(through, latest);
    }
    drop_interactions_.Execute(OldestForgottenDay(before));
    return forgotten;
  }

 private:
  Pseudonyms pseudonyms_;  // of the users erased while this process runs
  Statement remember_;
  Statement insert_;
  Statement read_;
  Statement read_oldest_;
  Statement hide_;
  Statement hide_in_totals_;
  Statement add_hidden_interactions_;
  Statement drop_hidden_interactions_;
  Statement forget_identity_;
  Statement forget_events_;
  Statement add_totals_;
  Statement add_interactions_;
  Statement drop_interactions_;
  Statement set_forgotten_;
  Statement live_bytes_;
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
        writer_(
            &database_, readers_.Borrow()->LastSequence(),
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

  std::vector<LoggedEvent> Read(std::int64_t after, std::size_t limit) override {
    const auto reader = readers_.Borrow();
    const ReadTransaction cut(&reader.database());
    RequireKept(after, reader->HowFarForgotten().through);
    return reader->Read(after, limit);
  }
  std::int64_t End() override { return writer_.End(); }

  std::int64_t ReadForgotten(const TakeTotals& take_totals, const TakeInteractions& take_interactions) override {
    Database database(path_, Access::kRead);
    const ReadTransaction transaction(&database);
    const std::int64_t through = LogReader(database).HowFarForgotten().through;
    ReadTotals(database, take_totals);
    ReadInteractions(database, take_interactions);
    return through;
  }

  Forgotten HowFarForgotten() override { return readers_.Borrow()->HowFarForgotten(); }

  std::int64_t Forget(TimeMs before, std::int64_t applied) override {
    std::int64_t total = 0;
    std::int64_t batch = kForgetBatch;
    while (batch == kForgetBatch) {
      writer_.RunBlocking([&](Sequence&) { batch = tables_.Forget(before, applied); });
      total += batch;
    }
    return total;
  }

  void Hide(std::span<const Erasure> erased) override {
    writer_.RunBlocking([&](Sequence&) { tables_.Hide(erased); });
    const Pseudonyms pseudonyms(erased);
    Database reader(path_, Access::kRead);
    Statement scan(reader, "looking for erased users in the event log", kFindNames);
    std::int64_t after = 0;
    for (std::int64_t found = kScanned; found == kScanned;) {
      std::vector<std::int64_t> named;
      found = 0;
      for (Rows rows = scan.Query(after, kScanned); rows.Next(); ++found) {
        after = rows.Int(0);
        if (pseudonyms.Names(UserId{rows.Id(1)}) || pseudonyms.Names(UserId{rows.Id(2)})) {
          named.push_back(after);
        }
      }
      HideEvents(named);
    }
    // Events that were forgotten meanwhile have brought the names back into what is kept of them.
    writer_.RunBlocking([&](Sequence&) { tables_.Hide(erased); });
  }

  std::int64_t Scrub() override { return ScrubFile(&database_, &writer_); }

  void OnCommit(std::function<void()> notify) override { writer_.OnCommit(std::move(notify)); }

 private:
  // Some hundred in each transaction.
  void HideEvents(std::span<const std::int64_t> sequences) {
    while (!sequences.empty()) {
      const std::span<const std::int64_t> part = sequences.first(std::min(sequences.size(), kHiddenAtOnce));
      writer_.RunBlocking([&](Sequence&) {
        for (const std::int64_t sequence : part) {
          tables_.Hide(sequence);
        }
      });
      sequences = sequences.subspan(part.size());
    }
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
      batch.duplicate[i] = !tables_.Append(batch.events[i], batch.identities[i], now, sequence);
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
      done(Appended{*end, std::move(batch.duplicate)});
    }
  }

  const Clock* clock_;
  const std::int64_t max_bytes_;
  const std::string path_;
  MigratedDatabase database_;  // the writer's
  ConnectionPool<LogReader> readers_;
  LogTables tables_;
  GroupWriter writer_;  // last: its thread uses the members above
};

}  // namespace
}  // namespace sqlite

std::unique_ptr<EventLog> OpenSqliteEventLog(const SqliteOptions& options) {
  return std::make_unique<sqlite::SqliteEventLog>(options);
}

}  // namespace novafeed
