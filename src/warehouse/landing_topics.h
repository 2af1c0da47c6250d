// The topics that ClickHouse lands by itself, as Kafka knows them: what each holds, how far its consumer group has
// committed, where the commits of the database lie on it.
//
// ClickHouse commits an offset when every view of the block before it is written, so what lies before a group's
// committed offset is in the tables. Its own view of that (system.kafka_consumers) is one node's and empty after a
// start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "warehouse/landing.h"

namespace novafeed {

// By landing table: the topic whose messages land in it.
inline constexpr std::array<std::string_view, kLandingTables.size()> kLandingTopics = {
    "cdc.users", "cdc.posts", "cdc.comments", "cdc.likes", "cdc.follows", "events",
};
inline constexpr std::size_t kEventsTopic = kLandingTopics.size() - 1;
inline constexpr std::size_t kChangeTopics = kEventsTopic;  // those before it, with one partition each

struct PartitionOffsets {
  std::int64_t first = 0;       // of what is still there
  std::int64_t end = 0;         // behind the last message
  std::int64_t committed = -1;  // by the group that lands the topic; -1: nothing is

  // All of what is still there before this offset is landed.
  std::int64_t Landed() const { return committed >= 0 ? committed : first; }
  bool IsLandedWhole() const { return Landed() >= end; }
};
// By topic and partition.
using LandingOffsets = std::array<std::vector<PartitionOffsets>, kLandingTopics.size()>;

// An offset for each topic of changes.
using ChangeOffsets = std::array<std::int64_t, kChangeTopics>;

// A commit of the database, or a place between two: every row of every commit up to there lies before these offsets.
struct PlacedCommit {
  std::int64_t commit = 0;  // a sequence of the change log
  ChangeOffsets ends = {};
};

struct NewestCommit {
  std::int64_t commit = 0;  // 0: there is none
  TimeMs committed_at = 0;  // by the clock of the database: every commit that was answered before is not behind it
};

// Port. Implemented by adapters/kafka. For one thread at a time; blocking, within deadlines. Throws StoreError:
// kUnavailable "log_unavailable" where Kafka does not answer.
class LandingTopics {
 public:
  virtual ~LandingTopics() = default;

  // Each group's offsets are read before the ends of its topic.
  virtual LandingOffsets Offsets() = 0;

  struct Commits {
    std::vector<PlacedCommit> commits;  // rising
    ChangeOffsets start = {};           // every row of every commit up to `after` lies before
    ChangeOffsets through = {};         // every row before is of a commit up to `after`, or of one of these
  };
  // Up to `limit` commits behind `after` whose rows are all on their topics, in order and without a gap; none where
  // none has come. kConflict "log_forgotten" where what follows `after` is not to be had any more.
  virtual Commits ReadCommits(std::int64_t after, std::size_t limit) = 0;
  // The newest commit that the log names; not all of its rows need be there.
  virtual NewestCommit ReadNewestCommit() = 0;

  using TakeMessage = std::function<void(std::int64_t offset, std::string_view value)>;
  // The messages in [from, until) of a partition. Messages that are gone are left out, also those that go meanwhile.
  virtual void ReadMessages(std::size_t topic, std::size_t partition, std::int64_t from, std::int64_t until,
                            const TakeMessage& take) = 0;

  // Makes the group of a topic land from these offsets on, by partition, while nobody of it lands. kUnavailable
  // "group_is_busy" where somebody does.
  virtual void Rewind(std::size_t topic, const std::vector<std::int64_t>& offsets) = 0;
};

}  // namespace novafeed
