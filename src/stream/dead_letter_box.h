// Takes the dead letters that a process meets, and puts them onto the topic, each place once however often and by how
// many processes it was met.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "stream/dead_letters.h"

namespace novafeed {

struct DeadLetterBoxOptions {
  std::size_t max_waiting = 10'000;  // letters that are not on the topic yet
  std::size_t max_waiting_bytes = std::size_t{64} << 20;
  // Where the topic holds that many, something is wrong with whoever writes, and no more are added.
  std::size_t max_on_topic = 200'000;
};

// Of the processes that share the topic one writes: whoever is told so. The others keep what they have met until they
// see it there, so that what one meets and does not live to write is written by the next.
class DeadLetterBox {
 public:
  // `metrics` outlives it.
  DeadLetterBox(std::unique_ptr<DeadLetterTopic> topic, Metrics* metrics, DeadLetterBoxOptions options = {});

  // Thread-safe; waits for nothing outside of this process. What does not fit is counted, said, and dropped.
  void Put(DeadLetter letter);

  // Looks at what is new on the topic, and where it `may_write`, writes what is not there. For one thread at a time.
  // Throws StoreError, as the topic does; nothing is lost by that.
  void Step(bool may_write);

 private:
  bool Fits(const DeadLetter& letter) const;
  void Drop(const DeadLetter& letter);
  void LookAtTopic();
  void WriteWaiting();

  const std::unique_ptr<DeadLetterTopic> topic_;
  const DeadLetterBoxOptions options_;
  Metrics* const metrics_;
  const Gauge waiting_gauge_;
  const Counter dropped_;
  LogGate dropped_log_{10'000};
  LogGate written_log_{1000};
  std::int64_t read_ = 0;  // of the topic, by Step

  std::mutex mutex_;  // guards what follows
  std::map<MessagePlace, DeadLetter> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::set<MessagePlace> on_topic_;  // as far as it was read
};

}  // namespace novafeed
