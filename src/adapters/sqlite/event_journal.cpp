// OpenSqliteEventJournal: what a process has taken from the topic of events, in journal.db.
//
// Commits are not forced to the disk: events and how far the topic was copied are committed together, so a power cut
// takes back both, and the topic still has them.
#include <atomic>
#include <memory>
#include <span>
#include <utility>

#include "adapters/sqlite/connection_pool.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/event_tables.h"
#include "adapters/sqlite/group_writer.h"
#include "adapters/sqlite/migrations.h"
#include "adapters/sqlite/open.h"
#include "adapters/sqlite/scrub.h"
#include "base/log.h"
#include "base/metrics.h"

namespace novafeed {
namespace sqlite {
namespace {

class SqliteEventJournal final : public EventJournal {
 public:
  explicit SqliteEventJournal(const SqliteOptions& options)
      : path_(options.directory + "/journal.db"),
        database_(path_, FileKind::kEvents, EventMigrations()),
        readers_(path_, options.readers),
        tables_(database_),
        written_(database_),
        failed_looks_(options.metrics->AddCounter("novafeed_journal_failed_looks_total",
                                                  "Times it could not be looked up whether events are known: they "
                                                  "count as new, and are told apart when the topic is copied.")),
        writer_(
            &database_, 0,
            {.store = "journal", .max_queued = options.max_queued_events, .checkpoint_pages = options.checkpoint_pages},
            options.metrics) {
    writer_.RunAlone([this](Sequence&) { database_.Execute("setting up the journal", "PRAGMA synchronous=NORMAL"); });
  }

  std::optional<EventPoints> Copied() override { return readers_.Borrow()->Copied(); }

  void Skip(const EventPoints& copied, const EventPoints& forgotten, TimeMs latest) override {
    writer_.RunBlocking([&](Sequence&) {
      tables_.SetCopied(copied);
      for (std::size_t partition = 0; partition < forgotten.List().size(); ++partition) {
        tables_.SetForgotten(partition, forgotten[partition]);
      }
      tables_.SetLatestForgotten(latest);
    });
  }

  std::size_t Add(const std::vector<LoggedEvent>& events, const EventPoints& through) override {
    std::size_t known = 0;
    writer_.RunBlocking([&](Sequence&) {
      for (const LoggedEvent& logged : events) {
        known += AddOne(logged) ? 0 : 1;
      }
      tables_.SetCopied(through);
    });
    return known;
  }

  void Find(std::vector<EventKey> keys, std::function<void(Held)> found) override {
    struct Search {
      std::vector<EventKey> keys;
      Held held;
    };
    const auto search = std::make_shared<Search>();
    search->held.is_held.assign(keys.size(), false);
    search->keys = std::move(keys);
    const std::size_t weight = search->keys.size();
    writer_.Submit(
        [this, search](Sequence&) {
          for (std::size_t i = 0; i < search->keys.size(); ++i) {
            search->held.is_held[i] = written_.Knows(search->keys[i]);
          }
          search->held.within = written_.Copied().value_or(EventPoints());
        },
        [this, search, found = std::move(found)](const Result<std::int64_t>& result) {
          if (!result) {
            NoteFailedLook(result.error());
            search->held.is_held.assign(search->keys.size(), false);
          }
          found(std::move(search->held));
        },
        weight);
  }

  std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit) override {
    const auto reader = readers_.Borrow();
    const ReadTransaction cut(&reader.database());
    return reader->Read(after, limit, reads_++);
  }
  EventPoints QuietThrough(const EventPoints& after) override {
    const auto reader = readers_.Borrow();
    const ReadTransaction cut(&reader.database());
    return reader->QuietThrough(after);
  }
  EventLog::Forgotten HowFarForgotten() override { return readers_.Borrow()->HowFarForgotten(); }

  std::int64_t Forget(TimeMs before, const EventPoints& applied) override {
    std::int64_t total = 0;
    for (std::size_t partition = 0; partition < kMaxEventPartitions; ++partition) {
      std::int64_t batch = EventTables::kForgetBatch;
      while (batch == EventTables::kForgetBatch) {
        writer_.RunBlocking(
            [&](Sequence&) { batch = tables_.Forget(partition, before, applied[partition], [](const Event&) {}); });
        total += batch;
      }
    }
    return total;
  }

  void Hide(std::span<const Erasure> erased) override {
    writer_.RunBlocking([&](Sequence&) { tables_.AddPseudonyms(erased); });
    HideInEvents(path_, erased, &writer_, &tables_);
  }

  std::vector<UserId> Users() override { return UsersInEvents(path_); }

  std::int64_t Scrub() override { return ScrubFile(&database_, &writer_); }

  void OnCommit(std::function<void()> notify) override { writer_.OnCommit(std::move(notify)); }

 private:
  void NoteFailedLook(const Error& error) {
    failed_looks_.Add();
    if (!look_gate_.Open()) return;
    Log(LogLevel::kWarn, "journal_look_failed", {{"code", error.code}, {"reason", error.detail}});
  }

  // False where it is known.
  bool AddOne(const LoggedEvent& logged) {
    const Uuid identity = logged.Identity();
    if (!tables_.Remember({logged.event.at, identity})) {
      return false;
    }
    tables_.Insert(logged, identity);
    return true;
  }

  const std::string path_;
  MigratedDatabase database_;  // the writer's
  ConnectionPool<EventReader> readers_;
  EventTables tables_;
  EventReader written_;  // the writer's, too
  const Counter failed_looks_;
  LogGate look_gate_{10'000};
  std::atomic<std::size_t> reads_{0};  // each read begins with another partition
  GroupWriter writer_;                 // last: its thread uses the members above
};

}  // namespace
}  // namespace sqlite

std::unique_ptr<EventJournal> OpenSqliteEventJournal(const SqliteOptions& options) {
  return std::make_unique<sqlite::SqliteEventJournal>(options);
}

}  // namespace novafeed
