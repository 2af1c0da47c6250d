#include "adapters/sqlite/event_tables.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "adapters/sqlite/event_columns.h"
#include "capture/retention.h"

namespace novafeed::sqlite {
namespace {

constexpr std::int64_t kScanned = 20'000;   // events of one read that looks for erased users
constexpr std::size_t kHiddenAtOnce = 500;  // events of one transaction that hides them
constexpr char kFindNames[] = "SELECT place, user, post_author FROM events WHERE place > ?1 ORDER BY place LIMIT ?2";

#define NOVAFEED_LOGGED_COLUMNS "partition, sequence, received_at, " NOVAFEED_EVENT_COLUMNS ", identity"

// Of NOVAFEED_LOGGED_COLUMNS.
LoggedEvent ReadLogged(const Rows& rows) {
  LoggedEvent logged{static_cast<std::size_t>(rows.Int(0)), rows.Int(1), rows.Int(2), ReadEvent(rows, 3)};
  constexpr int kIdentity = 3 + kEventColumns;
  if (!rows.IsNull(kIdentity)) {
    logged.identity = rows.Id(kIdentity);
  }
  return logged;
}

// The place behind all of a partition.
constexpr std::int64_t EndOf(std::size_t partition) {
  return PlaceOf(partition + 1, 0);
}

void HidePlaces(std::span<const std::int64_t> places, GroupWriter* writer, EventTables* tables) {
  while (!places.empty()) {
    const std::span<const std::int64_t> part = places.first(std::min(places.size(), kHiddenAtOnce));
    writer->RunBlocking([&](Sequence&) {
      for (const std::int64_t place : part) {
        tables->Hide(place);
      }
    });
    places = places.subspan(part.size());
  }
}

}  // namespace

// ------------------------------------------------------------------------------------------------------------ reading

EventReader::EventReader(Database& database)
    : read_(database, "reading the event log",
            "SELECT " NOVAFEED_LOGGED_COLUMNS " FROM events WHERE place > ? AND place < ? ORDER BY place LIMIT ?"),
      extents_(database, "reading how far the event log goes",
               "SELECT partition, forgotten_through, copied_through FROM event_partitions ORDER BY partition"),
      latest_(database, "reading how far events were forgotten", "SELECT forgotten_latest FROM event_log"),
      last_(database, "reading the end of the event log",
            "SELECT sequence FROM events WHERE place > ? AND place < ? ORDER BY place DESC LIMIT 1"),
      knows_(database, "looking for an event", "SELECT 1 FROM identities WHERE at = ? AND digest = ?") {}

std::vector<EventReader::Extent> EventReader::Extents() {
  std::vector<Extent> extents;
  for (Rows rows = extents_.Query(); rows.Next();) {
    extents.push_back({static_cast<std::size_t>(rows.Int(0)), rows.Int(1), rows.OptionalInt(2)});
  }
  return extents;
}

std::vector<LoggedEvent> EventReader::Read(const EventPoints& after, std::size_t limit, std::size_t first) {
  const std::vector<Extent> extents = Extents();
  for (const Extent& extent : extents) {
    RequireKept(after[extent.partition], extent.forgotten_through);
  }
  std::vector<LoggedEvent> events;
  for (std::size_t i = 0; i < extents.size() && events.size() < limit; ++i) {
    const std::size_t partition = extents[(first + i) % extents.size()].partition;
    const auto wanted = static_cast<std::int64_t>(limit - events.size());
    for (Rows rows = read_.Query(PlaceOf(partition, after[partition]), EndOf(partition), wanted); rows.Next();) {
      events.push_back(ReadLogged(rows));
    }
  }
  return events;
}

EventLog::Forgotten EventReader::HowFarForgotten() {
  EventLog::Forgotten forgotten;
  for (const Extent& extent : Extents()) {
    forgotten.through[extent.partition] = extent.forgotten_through;
  }
  Rows rows = latest_.Query();
  rows.Next();
  forgotten.latest = rows.Int(0);
  return forgotten;
}

std::optional<EventPoints> EventReader::Copied() {
  std::optional<EventPoints> copied;
  for (const Extent& extent : Extents()) {
    if (!extent.copied_through) {
      continue;
    }
    if (!copied) {
      copied.emplace();
    }
    (*copied)[extent.partition] = *extent.copied_through;
  }
  return copied;
}

EventPoints EventReader::QuietThrough(const EventPoints& after) {
  EventPoints quiet = after;
  for (const Extent& extent : Extents()) {
    std::int64_t& point = quiet[extent.partition];
    if (point >= extent.forgotten_through && LastKept(extent.partition) <= point) {
      point = std::max(point, extent.copied_through.value_or(0));
    }
  }
  return quiet;
}

std::int64_t EventReader::LastKept(std::size_t partition) {
  Rows rows = last_.Query(PlaceOf(partition, 0), EndOf(partition));
  return rows.Next() ? rows.Int(0) : 0;
}

std::int64_t EventReader::LastSequence(std::size_t partition) {
  return std::max(LastKept(partition), HowFarForgotten().through[partition]);
}

bool EventReader::Knows(const EventKey& key) {
  return knows_.Query(key.at, key.identity).Next();
}

// ------------------------------------------------------------------------------------------------------------ writing

EventTables::EventTables(Database& database)
    : remember_(database, "remembering an event",
                "INSERT INTO identities (at, digest) VALUES (?, ?) ON CONFLICT DO NOTHING"),
      insert_(database, "appending an event",
              "INSERT INTO events (place, received_at, identity, " NOVAFEED_EVENT_COLUMNS
              ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      read_(database, "reading an event", "SELECT " NOVAFEED_LOGGED_COLUMNS " FROM events WHERE place = ?"),
      read_oldest_(database, "reading the oldest events",
                   "SELECT " NOVAFEED_LOGGED_COLUMNS
                   " FROM events WHERE place > ? AND place < ? ORDER BY place LIMIT ?"),
      hide_(database, "hiding a user in the event log",
            "UPDATE events SET user = ?2, post_author = ?3, identity = ?4 WHERE place = ?1"),
      forget_identity_(database, "forgetting the identity of an event",
                       "DELETE FROM identities WHERE at = ? AND digest = ?"),
      forget_events_(database, "forgetting events", "DELETE FROM events WHERE place > ? AND place <= ?"),
      set_forgotten_(database, "marking events as forgotten",
                     "INSERT INTO event_partitions (partition, forgotten_through) VALUES (?, ?) ON CONFLICT DO UPDATE "
                     "SET forgotten_through = max(forgotten_through, excluded.forgotten_through)"),
      set_latest_forgotten_(database, "marking when forgotten events were",
                            "UPDATE event_log SET forgotten_latest = max(forgotten_latest, ?)"),
      set_copied_(database, "marking messages as copied",
                  "INSERT INTO event_partitions (partition, forgotten_through, copied_through) VALUES (?, 0, ?) "
                  "ON CONFLICT DO UPDATE SET copied_through = max(ifnull(copied_through, 0), excluded.copied_through)"),
      live_bytes_(database, "measuring the event log",
                  "SELECT (page_count - freelist_count) * page_size "
                  "FROM pragma_page_count, pragma_freelist_count, pragma_page_size") {}

bool EventTables::Remember(const EventKey& key) {
  return remember_.Execute(key.at, key.identity) > 0;
}

void EventTables::Insert(const LoggedEvent& logged, const Uuid& identity) {
  Event stored = logged.event;
  const bool is_hidden = pseudonyms_.Hide(&stored) || logged.identity;
  InsertEvent(insert_, stored, PlaceOf(logged.partition, logged.sequence), logged.received_at,
              is_hidden ? std::optional(identity) : std::nullopt);
}

void EventTables::Hide(std::int64_t place) {
  Rows rows = read_.Query(place);
  if (!rows.Next()) {
    return;  // forgotten meanwhile
  }
  LoggedEvent logged = ReadLogged(rows);
  const Uuid identity = logged.Identity();
  if (pseudonyms_.Hide(&logged.event)) {
    hide_.Execute(place, logged.event.user, logged.event.post_author, identity);
  }
}

std::int64_t EventTables::Forget(std::size_t partition, TimeMs before, std::int64_t applied,
                                 const std::function<void(const Event&)>& take) {
  std::int64_t forgotten = 0;
  std::int64_t through = 0;
  TimeMs latest = 0;
  for (Rows rows = read_oldest_.Query(PlaceOf(partition, 0), EndOf(partition), kForgetBatch); rows.Next();) {
    const LoggedEvent logged = ReadLogged(rows);
    if (logged.sequence > applied || logged.LatestTime() >= before) {
      break;
    }
    take(logged.event);
    forget_identity_.Execute(logged.event.at, logged.Identity());
    through = logged.sequence;
    latest = std::max(latest, logged.event.at);
    ++forgotten;
  }
  if (forgotten > 0) {
    forget_events_.Execute(PlaceOf(partition, 0), PlaceOf(partition, through));
    SetForgotten(partition, through);
    SetLatestForgotten(latest);
  }
  return forgotten;
}

void EventTables::SetForgotten(std::size_t partition, std::int64_t through) {
  set_forgotten_.Execute(static_cast<std::int64_t>(partition), through);
}

void EventTables::SetLatestForgotten(TimeMs latest) {
  set_latest_forgotten_.Execute(latest);
}

// Of one partition at least: that something was copied is known by it.
void EventTables::SetCopied(const EventPoints& through) {
  const std::size_t count = std::max<std::size_t>(1, through.List().size());
  for (std::size_t partition = 0; partition < count; ++partition) {
    set_copied_.Execute(static_cast<std::int64_t>(partition), through[partition]);
  }
}

std::int64_t EventTables::LiveBytes() {
  Rows rows = live_bytes_.Query();
  rows.Next();
  return rows.Int(0);
}

void HideInEvents(const std::string& path, std::span<const Erasure> erased, GroupWriter* writer, EventTables* tables) {
  const Pseudonyms pseudonyms(erased);
  Database reader(path, Access::kRead);
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
    HidePlaces(named, writer, tables);
  }
}

std::vector<UserId> UsersInEvents(const std::string& path) {
  Database reader(path, Access::kRead);
  Statement scan(reader, "reading whom the event log names", kFindNames);
  std::unordered_set<UserId> users;
  std::int64_t after = 0;
  for (std::int64_t found = kScanned; found == kScanned;) {
    found = 0;
    for (Rows rows = scan.Query(after, kScanned); rows.Next(); ++found) {
      after = rows.Int(0);
      users.insert({UserId{rows.Id(1)}, UserId{rows.Id(2)}});
    }
  }
  return {users.begin(), users.end()};
}

}  // namespace novafeed::sqlite
