#include "stream/dead_letters.h"

#include <set>

namespace novafeed {

void ListDeadLetters(DeadLetterTopic* topic, const std::function<void(const DeadLetter&, bool was_replayed)>& take) {
  std::set<MessagePlace> replayed;
  topic->Read(0, [&](const DeadLetterRecord& record) {
    if (record.is_mark) replayed.insert(record.letter.place);
  });
  std::set<MessagePlace> seen;
  topic->Read(0, [&](const DeadLetterRecord& record) {
    const MessagePlace& place = record.letter.place;
    if (!record.is_mark && seen.insert(place).second) take(record.letter, replayed.contains(place));
  });
}

}  // namespace novafeed
