// Answers as JSON: the shapes of the contract's section 5. Pure.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "candidates/candidates.h"
#include "graph/store.h"
#include "http/message.h"
#include "index/feed_index.h"
#include "social/entities.h"
#include "timeline/feed_service.h"
#include "timeline/suggestion_service.h"
#include "timeline/trending_service.h"

namespace novafeed {

using People = boost::unordered_flat_map<UserId, User, StrongIdHash<UserId>>;

// Appends entities to one JSON document. Times are integer milliseconds; external_id stands where there is one.
class EntityWriter {
 public:
  explicit EntityWriter(std::string* out) : json_(out) {}

  JsonWriter& json() { return json_; }
  void Write(const User& user, const UserCounts& counts);
  void Write(const Post& post, const Counters& counters);
  void Write(const Comment& comment);
  // `explain`: with the parts of the score and the counts that it was computed from; nothing where there is no score.
  void Write(const FeedItem& item, bool explain);
  // `explain`: with the parts of the list's own score and the window's counts.
  void Write(const TrendingItem& listed, bool explain);
  // Nothing where `people` does not hold the user.
  void Write(const Suggestion& suggestion, const People& people, bool explain);

 private:
  void Id(std::string_view name, const Uuid& id);
  void External(const std::optional<std::string>& external_id);
  void PostFields(const Uuid& id, const std::optional<std::string>& external_id, UserId author, std::string_view text,
                  TimeMs created_at, const Counters& counters);
  void BeginItem(const FeedItem& item);
  void Explain(const FeedItem& item);
  void FreshnessTerm(const ScoreParts& parts);
  void EngagementTerm(const ScoreParts& parts, const Counters& counters);
  void Reasons(const Suggestion& suggestion, const People& people);
  void BeginTerm(std::string_view name, double value, double weight);

  JsonWriter json_;
  std::string id_text_;  // reused: a page writes dozens of ids
};

// The counters of an answer that the index holds; views are not among them.
Counters CountersOf(const PostTotals& totals);

std::string RenderFeedPage(const FeedPage& page, bool explain);
std::string RenderTrendingPage(const TrendingPage& page, bool explain);

// Suggestions with the people whom they name. Who is not among them (erased since) is not shown.
struct SuggestedPeople {
  SuggestionList list;
  People people;
};
// `explain`: with the reasons.
std::string RenderSuggestions(const SuggestedPeople& suggested, bool explain);

// {"<name>":[...],"next_cursor":...}: a page of a list, each item written by write(EntityWriter&, item).
template <class T, class F>
std::string RenderList(std::string_view name, const ListPage<T>& page, F&& write);

// A field that is null where there is nothing.
void WriteOptional(JsonWriter* json, std::string_view name, const std::optional<std::string>& text);

// `next_cursor` of a list that ends is null.
void WriteNextCursor(JsonWriter* json, const std::optional<ListCursor>& next);

HttpResponse JsonAnswer(int status, std::string body);
HttpResponse Created(const std::string& location, std::string body);
HttpResponse NoContent();

template <class T, class F>
std::string RenderList(std::string_view name, const ListPage<T>& page, F&& write) {
  std::string body;
  EntityWriter writer(&body);
  writer.json().BeginObject().Key(name).BeginArray();
  for (const T& item : page.items) write(writer, item);
  writer.json().EndArray();
  WriteNextCursor(&writer.json(), page.next);
  writer.json().EndObject();
  return body;
}

}  // namespace novafeed
