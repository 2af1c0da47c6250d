// Puts dead letters that can be read by now back into the log.
//
// Events only. A change of a row belongs to its transaction, by its place in the order of commits: put back behind
// others it would be a row of a transaction that everybody has finished, and its truth is the row in the database, from
// where a check's repair or a new snapshot brings it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/ids.h"
#include "stream/dead_letters.h"
#include "stream/event_topic.h"

namespace novafeed {

// Of whose messages alone something can be put back.
inline constexpr std::string_view kReplayableTopic = "events";

// Which letters: those that are within all of it.
struct DeadLetterSelection {
  std::optional<std::string> topic;
  std::optional<std::size_t> partition;
  std::int64_t first = 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();

  bool Has(const MessagePlace& place) const {
    return (!topic || *topic == place.topic) && (!partition || *partition == place.partition) &&
           first <= place.offset && place.offset <= last;
  }
};

enum class ReplayOutcome : std::uint8_t {
  kReplayed,
  kReplayedBefore,
  kUnreadable,  // still
  kErased,      // it names a user who was erased
  kNoEvent,     // a change
  kUnknown,     // mended, and there is no such letter
};
std::string_view ReplayOutcomeName(ReplayOutcome outcome);

struct DeadLetterReplay {
  const Clock* clock = nullptr;
  DeadLetterTopic* letters = nullptr;
  EventTopic* events = nullptr;
  std::function<bool(UserId)> is_erased;
  // What a message reads like now, where somebody has mended it: these places alone are taken then.
  std::optional<std::map<MessagePlace, std::string>> mended = std::nullopt;
};

// Tells of each selected letter what became of it, with the reason where it was not put back. What was put back is
// marked on the letters' topic, and not put back again; where the mark fails, or two do this at once, the identity of
// the event still lets it count once. It arrives now. Blocking; throws StoreError where a topic does not answer.
void ReplayDeadLetters(const DeadLetterReplay& replay, const DeadLetterSelection& selection,
                       const std::function<void(const MessagePlace&, ReplayOutcome, const std::string& reason)>& tell);

}  // namespace novafeed
