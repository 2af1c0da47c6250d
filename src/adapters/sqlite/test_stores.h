// For the tests of this room: a directory with what a store needs, and ways to write and wait.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "adapters/sqlite/open.h"
#include "base/metrics.h"
#include "base/test_support.h"
#include "base/time.h"
#include "social/ids.h"

namespace novafeed::sqlite {

inline constexpr TimeMs kTestStart = 1'795'382'793'122;

// Outlives the stores that are opened in it.
struct TestHome {
  TempDirectory directory;
  ManualClock clock{kTestStart};
  Metrics metrics;

  SqliteOptions Options() { return OptionsAt(directory.path().string()); }
  SqliteOptions OptionsAt(std::string path) {
    SqliteOptions options;
    options.directory = std::move(path);
    options.clock = &clock;
    options.metrics = &metrics;
    return options;
  }
};

// Ids by number, the same in every run.
inline Uuid NumberedId(IdKind kind, int number) {
  return IdFromExternal(kind, std::to_string(number));
}

inline User NumberedUser(int number) {
  return {UserId{NumberedId(IdKind::kUser, number)}, std::nullopt, "user" + std::to_string(number), "", kTestStart};
}

inline Like NumberedLike(int user, int post) {
  Like like;
  like.user = UserId{NumberedId(IdKind::kUser, user)};
  like.post = PostId{NumberedId(IdKind::kPost, post)};
  like.post_author = UserId{NumberedId(IdKind::kUser, 0)};
  like.post_created_at = kTestStart;
  like.created_at = kTestStart + post;
  return like;
}

inline Event NumberedEvent(int number, EventType type = EventType::kImpression, int post = 1) {
  Event event;
  event.user = UserId{NumberedId(IdKind::kUser, number % 7)};
  event.type = type;
  event.post = PostId{NumberedId(IdKind::kPost, post)};
  event.at = kTestStart + number;
  event.event_id = EventId{NumberedId(IdKind::kEvent, number)};
  event.post_author = UserId{NumberedId(IdKind::kUser, 0)};
  event.post_created_at = kTestStart - kMsPerHour;
  return event;
}

// The value of a metric as it is rendered, with its labels; 0 where there is none.
inline double MetricValue(const Metrics& metrics, const std::string& name_and_labels) {
  const std::string text = "\n" + metrics.Render();
  const std::string start = "\n" + name_and_labels + " ";
  const std::size_t at = text.find(start);
  return at == std::string::npos ? 0 : std::stod(text.substr(at + start.size()));
}

inline Result<std::int64_t> WriteAndWait(GraphStore& store, GraphStore::Work work) {
  std::promise<Result<std::int64_t>> answer;
  store.Write(std::move(work), [&answer](Result<std::int64_t> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

inline Result<EventLog::Appended> AppendAndWait(EventLog& log, std::vector<Event> events) {
  std::promise<Result<EventLog::Appended>> answer;
  log.Append(std::move(events), [&answer](Result<EventLog::Appended> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

}  // namespace novafeed::sqlite
