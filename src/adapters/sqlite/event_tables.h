// The tables of events, which the event log and the journal of a topic share: rows with their places, identities, and
// how far each partition goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/group_writer.h"
#include "base/time.h"
#include "capture/pseudonyms.h"
#include "graph/store.h"
#include "stream/event_journal.h"
#include "stream/event_log.h"
#include "stream/event_points.h"

namespace novafeed::sqlite {

// The key of a row: schema/sqlite/events/0005_partitions.sql.
inline constexpr int kSequenceBits = 48;
constexpr std::int64_t PlaceOf(std::size_t partition, std::int64_t sequence) {
  return (static_cast<std::int64_t>(partition) << kSequenceBits) | sequence;
}

// What is read, over one connection. Where several calls have to agree: in a ReadTransaction.
class EventReader {
 public:
  explicit EventReader(Database& database);

  // As EventLog::Read. `first`: of the partitions there are, with which one it begins.
  std::vector<LoggedEvent> Read(const EventPoints& after, std::size_t limit, std::size_t first);
  EventLog::Forgotten HowFarForgotten();
  // Empty where nothing was ever copied.
  std::optional<EventPoints> Copied();
  EventPoints QuietThrough(const EventPoints& after);
  // Of the events that a partition ever had, also where they are forgotten.
  std::int64_t LastSequence(std::size_t partition);
  bool Knows(const EventKey& key);

 private:
  struct Extent {
    std::size_t partition = 0;
    std::int64_t forgotten_through = 0;
    std::optional<std::int64_t> copied_through;
  };

  std::vector<Extent> Extents();
  std::int64_t LastKept(std::size_t partition);

  Statement read_;
  Statement extents_;
  Statement latest_;
  Statement last_;
  Statement knows_;
};

// What is written. Writer thread only, inside its transaction.
class EventTables {
 public:
  explicit EventTables(Database& database);

  // False where the identity is known already.
  bool Remember(const EventKey& key);
  // At its place, behind pseudonyms where it names somebody who was erased while this process runs: a request, or a
  // message, may be late.
  void Insert(const LoggedEvent& logged, const Uuid& identity);

  // From now on the pseudonyms stand for these users in what is inserted and hidden.
  void AddPseudonyms(std::span<const Erasure> erased) { pseudonyms_.Add(erased); }
  // In one event, which remembers its identity.
  void Hide(std::int64_t place);

  // Forgets the oldest events of a partition with their identities, as long as they are older than `before` and not
  // beyond `applied`; one batch of them, of which it returns the size. `take` is given each.
  static constexpr std::int64_t kForgetBatch = 1000;
  std::int64_t Forget(std::size_t partition, TimeMs before, std::int64_t applied,
                      const std::function<void(const Event&)>& take);

  // These never go back.
  void SetForgotten(std::size_t partition, std::int64_t through);
  void SetLatestForgotten(TimeMs latest);
  void SetCopied(const EventPoints& through);

  std::int64_t LiveBytes();

 private:
  Pseudonyms pseudonyms_;
  Statement remember_;
  Statement insert_;
  Statement read_;
  Statement read_oldest_;
  Statement hide_;
  Statement forget_identity_;
  Statement forget_events_;
  Statement set_forgotten_;
  Statement set_latest_forgotten_;
  Statement set_copied_;
  Statement live_bytes_;
};

// Puts the pseudonyms into all events of the file, some hundred in each transaction; the tables have them already.
void HideInEvents(const std::string& path, std::span<const Erasure> erased, GroupWriter* writer, EventTables* tables);

// Everybody whom the events of the file name, each once.
std::vector<UserId> UsersInEvents(const std::string& path);

}  // namespace novafeed::sqlite
