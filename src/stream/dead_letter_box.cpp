#include "stream/dead_letter_box.h"

#include <utility>
#include <vector>

namespace novafeed {
namespace {

constexpr std::size_t kWriteAtOnce = 100;

}  // namespace

DeadLetterBox::DeadLetterBox(std::unique_ptr<DeadLetterTopic> topic, Metrics* metrics, DeadLetterBoxOptions options)
    : topic_(std::move(topic)),
      options_(options),
      metrics_(metrics),
      waiting_gauge_(metrics->AddGauge("novafeed_dead_letters_waiting",
                                       "Messages that cannot be read and are not on events.dlq yet.")),
      dropped_(metrics->AddCounter("novafeed_dead_letters_dropped_total",
                                   "Messages that cannot be read and were not kept: too many of them.")) {}

void DeadLetterBox::Put(DeadLetter letter) {
  const std::scoped_lock lock(mutex_);
  if (on_topic_.contains(letter.place) || waiting_.contains(letter.place)) return;
  if (!Fits(letter)) return Drop(letter);
  waiting_bytes_ += letter.message.size();
  MessagePlace place = letter.place;
  waiting_.emplace(std::move(place), std::move(letter));
  waiting_gauge_.Set(static_cast<double>(waiting_.size()));
}

bool DeadLetterBox::Fits(const DeadLetter& letter) const {
  return on_topic_.size() + waiting_.size() < options_.max_on_topic && waiting_.size() < options_.max_waiting &&
         waiting_bytes_ + letter.message.size() <= options_.max_waiting_bytes;
}

void DeadLetterBox::Drop(const DeadLetter& letter) {
  dropped_.Add();
  if (!dropped_log_.Open()) return;
  Log(LogLevel::kError, "dead_letter_dropped",
      {{"topic", letter.place.topic},
       {"partition", static_cast<std::int64_t>(letter.place.partition)},
       {"offset", letter.place.offset},
       {"reason", letter.reason}});
}

void DeadLetterBox::Step(bool may_write) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) return;
  }
  LookAtTopic();
  if (may_write) WriteWaiting();
}

void DeadLetterBox::LookAtTopic() {
  read_ = topic_->Read(read_, [this](const DeadLetterRecord& record) {
    if (record.is_mark) return;
    const std::scoped_lock lock(mutex_);
    on_topic_.insert(record.letter.place);
    const auto found = waiting_.find(record.letter.place);
    if (found == waiting_.end()) return;
    waiting_bytes_ -= found->second.message.size();
    waiting_.erase(found);
  });
  const std::scoped_lock lock(mutex_);
  waiting_gauge_.Set(static_cast<double>(waiting_.size()));
}

// What is written is taken out when it is seen on the topic.
void DeadLetterBox::WriteWaiting() {
  std::vector<DeadLetterRecord> records;
  const auto write = [&] {
    if (records.empty()) return;
    topic_->Write(records);
    for (const DeadLetterRecord& record : records) {
      const MessagePlace& place = record.letter.place;
      metrics_
          ->AddCounter("novafeed_dead_letters_total", "Messages that cannot be read, put onto events.dlq.",
                       {{"topic", place.topic}})
          .Add();
      if (!written_log_.Open()) continue;
      Log(LogLevel::kError, "dead_letter",
          {{"topic", place.topic},
           {"partition", static_cast<std::int64_t>(place.partition)},
           {"offset", place.offset},
           {"reason", record.letter.reason}});
    }
    records.clear();
  };
  std::map<MessagePlace, DeadLetter> waiting;
  {
    const std::scoped_lock lock(mutex_);
    waiting = waiting_;
  }
  for (auto& [place, letter] : waiting) {
    records.push_back({std::move(letter), false});
    if (records.size() == kWriteAtOnce) write();
  }
  write();
  LookAtTopic();
}

}  // namespace novafeed
