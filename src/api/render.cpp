#include "api/render.h"

#include <utility>

#include "api/parameters.h"
#include "ranking/ranking.h"

namespace novafeed {
namespace {

// About what an item takes; saves growing the page's text many times.
constexpr std::size_t kBytesPerItem = 600;

void WriteDegraded(JsonWriter* json, const std::vector<std::string_view>& degraded) {
  json->Key("degraded").BeginArray();
  for (const std::string_view name : degraded) json->String(name);
  json->EndArray();
}

}  // namespace

void EntityWriter::Id(std::string_view name, const Uuid& id) {
  id_text_.clear();
  id.AppendTo(&id_text_);
  json_.Key(name).String(id_text_);
}

void EntityWriter::External(const std::optional<std::string>& external_id) {
  if (external_id) json_.Key("external_id").String(*external_id);
}

void EntityWriter::Write(const User& user, const UserCounts& counts) {
  json_.BeginObject();
  Id("id", user.id.value);
  External(user.external_id);
  json_.Key("handle").String(user.handle).Key("name").String(user.name).Key("created_at").Int(user.created_at);
  json_.Key("followers").Int(counts.followers).Key("following").Int(counts.following);
  json_.EndObject();
}

void EntityWriter::PostFields(const Uuid& id, const std::optional<std::string>& external_id, UserId author,
                              std::string_view text, TimeMs created_at, const Counters& counters) {
  json_.BeginObject();
  Id("id", id);
  External(external_id);
  Id("author_id", author.value);
  json_.Key("text").String(text).Key("created_at").Int(created_at);
  json_.Key("likes").Int(counters.likes).Key("comments").Int(counters.comments);
  json_.Key("shares").Int(counters.shares).Key("impressions").Int(counters.impressions);
  json_.EndObject();
}

void EntityWriter::Write(const Post& post, const Counters& counters) {
  PostFields(post.id.value, post.external_id, post.author, post.text, post.created_at, counters);
}

void EntityWriter::Write(const Comment& comment) {
  json_.BeginObject();
  Id("id", comment.id.value);
  External(comment.external_id);
  Id("post_id", comment.post.value);
  Id("user_id", comment.user.value);
  json_.Key("text").String(comment.text).Key("created_at").Int(comment.created_at);
  json_.EndObject();
}

// Up to the score.
void EntityWriter::BeginItem(const FeedItem& item) {
  json_.BeginObject().Key("post");
  PostFields(item.content.id.value, item.content.external_id, item.author, item.content.text, item.created_at,
             item.counters);
  json_.Key("source").String(SourceName(item.source)).Key("score");
  if (item.parts) {
    json_.Double(item.parts->score);
  } else {
    json_.Null();
  }
}

void EntityWriter::Write(const FeedItem& item, bool explain) {
  BeginItem(item);
  if (item.parts && explain) Explain(item);
  json_.EndObject();
}

void EntityWriter::Write(const TrendingItem& listed, bool explain) {
  BeginItem(listed.item);
  if (explain) {
    json_.Key("explain").BeginObject();
    FreshnessTerm(*listed.item.parts);
    EngagementTerm(*listed.item.parts, listed.window);
    json_.EndObject();
  }
  json_.EndObject();
}

void EntityWriter::BeginTerm(std::string_view name, double value, double weight) {
  json_.Key(name).BeginObject();
  json_.Key("value").Double(value).Key("weight").Double(weight).Key("term").Double(weight * value);
}

void EntityWriter::Explain(const FeedItem& item) {
  const ScoreParts& parts = *item.parts;
  json_.Key("explain").BeginObject();
  FreshnessTerm(parts);
  EngagementTerm(parts, item.counters);
  BeginTerm("affinity", parts.affinity, kAffinityWeight);
  json_.Key("interactions").Int(item.interactions).EndObject();
  json_.EndObject();
}

void EntityWriter::FreshnessTerm(const ScoreParts& parts) {
  BeginTerm("freshness", parts.freshness, kFreshnessWeight);
  json_.Key("age_hours").Double(parts.age_hours).EndObject();
}

void EntityWriter::EngagementTerm(const ScoreParts& parts, const Counters& counters) {
  BeginTerm("engagement", parts.engagement, kEngagementWeight);
  json_.Key("likes").Int(counters.likes).Key("comments").Int(counters.comments);
  json_.Key("shares").Int(counters.shares).Key("impressions").Int(counters.impressions).EndObject();
}

void EntityWriter::Write(const Suggestion& suggestion, const People& people, bool explain) {
  const auto user = people.find(suggestion.user);
  if (user == people.end()) return;
  json_.BeginObject().Key("user");
  Write(user->second, suggestion.counts);
  json_.Key("score").Double(suggestion.score).Key("mutual_followers").Int(suggestion.mutual_followers);
  json_.Key("affinity_score").Double(suggestion.affinity_score);
  if (explain) Reasons(suggestion, people);
  json_.EndObject();
}

// The one reason that can be shown: people whom the viewer follows follow them.
void EntityWriter::Reasons(const Suggestion& suggestion, const People& people) {
  json_.Key("reasons").BeginArray();
  if (suggestion.mutual_followers > 0) {
    json_.BeginObject().Key("kind").String("followed_by").Key("count").Int(suggestion.mutual_followers);
    json_.Key("users").BeginArray();
    for (const UserId& mutual : suggestion.mutual) {
      const auto user = people.find(mutual);
      if (user == people.end()) continue;
      json_.BeginObject();
      Id("id", mutual.value);
      External(user->second.external_id);
      json_.Key("handle").String(user->second.handle).Key("name").String(user->second.name).EndObject();
    }
    json_.EndArray().EndObject();
  }
  json_.EndArray();
}

Counters CountersOf(const PostTotals& totals) {
  return Counters{totals.likes, totals.comments, totals.shares, totals.impressions};
}

std::string RenderFeedPage(const FeedPage& page, bool explain) {
  std::string body;
  body.reserve((page.items.size() + 1) * kBytesPerItem);
  EntityWriter writer(&body);
  JsonWriter& json = writer.json();
  json.BeginObject().Key("items").BeginArray();
  for (const FeedItem& item : page.items) writer.Write(item, explain);
  json.EndArray();
  WriteOptional(&json, "next_cursor", page.next_cursor);
  json.Key("as_of").Int(page.as_of).Key("trending_as_of").Int(page.trending_as_of);
  json.Key("counters_as_of").Int(page.counters_as_of);
  json.Key("profile").String(kProfile).Key("engine").String(page.engine).Key("cached").Bool(page.cached);
  WriteDegraded(&json, page.degraded);
  json.EndObject();
  return body;
}

std::string RenderSuggestions(const SuggestedPeople& suggested, bool explain) {
  std::string body;
  EntityWriter writer(&body);
  writer.json().BeginObject().Key("users").BeginArray();
  for (const Suggestion& suggestion : suggested.list.users) writer.Write(suggestion, suggested.people, explain);
  writer.json().EndArray().Key("as_of").Int(suggested.list.as_of);
  writer.json().Key("engine").String(suggested.list.engine);
  WriteDegraded(&writer.json(), suggested.list.degraded);
  writer.json().EndObject();
  return body;
}

std::string RenderTrendingPage(const TrendingPage& page, bool explain) {
  std::string body;
  body.reserve((page.items.size() + 1) * kBytesPerItem);
  EntityWriter writer(&body);
  writer.json().BeginObject().Key("items").BeginArray();
  for (const TrendingItem& item : page.items) writer.Write(item, explain);
  writer.json().EndArray().Key("trending_as_of").Int(page.as_of).EndObject();
  return body;
}

void WriteOptional(JsonWriter* json, std::string_view name, const std::optional<std::string>& text) {
  json->Key(name);
  if (text) {
    json->String(*text);
  } else {
    json->Null();
  }
}

void WriteNextCursor(JsonWriter* json, const std::optional<ListCursor>& next) {
  WriteOptional(json, "next_cursor", next ? std::optional(EncodeListCursor(*next)) : std::nullopt);
}

HttpResponse JsonAnswer(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

HttpResponse Created(const std::string& location, std::string body) {
  HttpResponse response = JsonAnswer(201, std::move(body));
  response.headers.emplace_back("Location", location);
  return response;
}

HttpResponse NoContent() {
  HttpResponse response;
  response.status = 204;
  response.content_type.clear();
  return response;
}

}  // namespace novafeed
