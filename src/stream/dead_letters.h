// Messages of the log that cannot be read: what is kept of each, and where. They stop nothing; nothing is lost by that,
// either.
//
// Port. Implemented by adapters/kafka over the topic events.dlq.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/time.h"

namespace novafeed {

// Where a message stands: this names it, whoever found it and however often.
struct MessagePlace {
  std::string topic;
  std::size_t partition = 0;
  std::int64_t offset = 0;
  friend auto operator<=>(const MessagePlace&, const MessagePlace&) = default;
};

// A longer message is kept by its beginning: what holds it takes messages of 1 MB.
inline constexpr std::size_t kMostOfDeadLetter = std::size_t{512} * 1024;

struct DeadLetter {
  MessagePlace place;
  std::string key;        // of the message
  std::string message;    // as it was, at most kMostOfDeadLetter bytes of it
  std::size_t bytes = 0;  // of the whole
  std::string reason;     // why it cannot be read
  TimeMs at = 0;          // when it was found

  bool IsWhole() const { return message.size() == bytes; }
};

// What stands on the topic: a letter, or that the message of a letter was put back on its topic.
struct DeadLetterRecord {
  DeadLetter letter;  // of a mark only the place, and when
  bool is_mark = false;
};

// For one thread at a time; blocking, within deadlines. Throws StoreError: kUnavailable "log_unavailable".
class DeadLetterTopic {
 public:
  virtual ~DeadLetterTopic() = default;

  // Durable when it returns; after an error, some may be there.
  virtual void Write(const std::vector<DeadLetterRecord>& records) = 0;

  using Take = std::function<void(DeadLetterRecord)>;
  // Everything from this point on, in order, up to where the topic ends now; returns that point. 0 is the beginning.
  virtual std::int64_t Read(std::int64_t from, const Take& take) = 0;
};

// Each place once, in the order in which they were first written, with whether it was put back. Reads the topic twice,
// so that only places are held.
void ListDeadLetters(DeadLetterTopic* topic, const std::function<void(const DeadLetter&, bool was_replayed)>& take);

}  // namespace novafeed
