#include "stream/dead_letter_replay.h"

#include <future>
#include <memory>
#include <set>
#include <utility>

#include "graph/store.h"
#include "stream/event_json.h"

namespace novafeed {
namespace {

constexpr std::size_t kReplayAtOnce = 500;

// What is on its way back: events, and the places of their letters.
class Returning {
 public:
  using Tell = std::function<void(const MessagePlace&, ReplayOutcome, const std::string&)>;

  Returning(const DeadLetterReplay& replay, const Tell& tell) : replay_(replay), tell_(tell) {}

  void Add(const LoggedEvent& event, MessagePlace place) {
    events_.push_back(event);
    places_.push_back(std::move(place));
    if (events_.size() == kReplayAtOnce) Send();
  }

  void Send() {
    if (events_.empty()) return;
    const auto promise = std::make_shared<std::promise<Result<EventPoints>>>();
    replay_.events->Append(std::exchange(events_, {}),
                           [promise](Result<EventPoints> sent) { promise->set_value(std::move(sent)); });
    const Result<EventPoints> sent = promise->get_future().get();
    if (!sent) throw StoreError(sent.error());
    std::vector<DeadLetterRecord> marks;
    for (const MessagePlace& place : places_) {
      DeadLetterRecord& mark = marks.emplace_back();
      mark.letter.place = place;
      mark.letter.at = replay_.clock->Now();
      mark.is_mark = true;
    }
    replay_.letters->Write(marks);
    for (const MessagePlace& place : std::exchange(places_, {})) tell_(place, ReplayOutcome::kReplayed, "");
  }

 private:
  const DeadLetterReplay& replay_;
  const Tell& tell_;
  std::vector<LoggedEvent> events_;
  std::vector<MessagePlace> places_;
};

// The message of a letter as it is to be read now.
struct Reading {
  std::string_view message;
  bool is_whole = true;
};

Reading ReadingOf(const DeadLetter& letter, const DeadLetterReplay& replay) {
  if (!replay.mended) return {letter.message, letter.IsWhole()};
  return {replay.mended->at(letter.place), true};
}

}  // namespace

std::string_view ReplayOutcomeName(ReplayOutcome outcome) {
  switch (outcome) {
    case ReplayOutcome::kReplayed:
      return "replayed";
    case ReplayOutcome::kReplayedBefore:
      return "replayed_before";
    case ReplayOutcome::kUnreadable:
      return "unreadable";
    case ReplayOutcome::kErased:
      return "erased";
    case ReplayOutcome::kNoEvent:
      return "no_event";
    case ReplayOutcome::kUnknown:
      return "unknown";
  }
  return "";
}

void ReplayDeadLetters(const DeadLetterReplay& replay, const DeadLetterSelection& selection,
                       const std::function<void(const MessagePlace&, ReplayOutcome, const std::string& reason)>& tell) {
  Returning returning(replay, tell);
  std::set<MessagePlace> unseen;
  if (replay.mended) {
    for (const auto& [place, message] : *replay.mended) {
      if (selection.Has(place)) unseen.insert(place);
    }
  }
  const auto take = [&](const DeadLetter& letter, bool was_replayed) {
    const MessagePlace& place = letter.place;
    if (!selection.Has(place) || (replay.mended && !replay.mended->contains(place))) return;
    unseen.erase(place);
    if (was_replayed) return tell(place, ReplayOutcome::kReplayedBefore, "");
    if (place.topic != kReplayableTopic) {
      return tell(place, ReplayOutcome::kNoEvent, "A change is brought by a repair or a new snapshot, not put back.");
    }
    const Reading reading = ReadingOf(letter, replay);
    if (!reading.is_whole) return tell(place, ReplayOutcome::kUnreadable, "Only its beginning was kept.");
    Result<LoggedEvent> event = ParseEventJson(reading.message);
    if (!event) return tell(place, ReplayOutcome::kUnreadable, event.error().detail);
    if (replay.is_erased(event->event.user) || replay.is_erased(event->event.post_author)) {
      return tell(place, ReplayOutcome::kErased, "It names a user who was erased.");
    }
    event->received_at = replay.clock->Now();
    returning.Add(*event, place);
  };
  ListDeadLetters(replay.letters, take);
  returning.Send();
  for (const MessagePlace& place : unseen) tell(place, ReplayOutcome::kUnknown, "There is no such letter.");
}

}  // namespace novafeed
