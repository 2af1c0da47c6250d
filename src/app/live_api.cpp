#include "app/live_api.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string_view>

#include "base/json.h"

namespace novafeed {
namespace {

std::string_view EventName(LiveAct act) {
  if (act == LiveAct::kSee) return "impression";
  return act == LiveAct::kView ? "view" : "share";
}

std::string EventsBody(const LiveStep& step, TimeMs now) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject().Key("events").BeginArray();
  for (std::size_t i = 0; i < step.event_ids.size(); ++i) {
    const Uuid& post = step.posts.empty() ? step.subject : step.posts[i];
    json.BeginObject().Key("event_id").String(step.event_ids[i].ToString()).Key("type").String(EventName(step.act));
    json.Key("post_id").String(post.ToString()).Key("at").Int(now).EndObject();
  }
  json.EndArray().EndObject();
  return body;
}

std::string TextBody(const std::string& text) {
  std::string body;
  JsonWriter(&body).BeginObject().Key("text").String(text).EndObject();
  return body;
}

std::optional<Uuid> RequireUuid(JsonFields* fields, std::string_view name) {
  const Result<std::string> text = fields->RequireString(name);
  return text ? ParseUuid(*text) : std::nullopt;
}

// The objects of the array that the answer has under this name.
boost::json::array ObjectsOf(const std::string& body, std::string_view name) {
  const Result<boost::json::value> document = ParseJson(body);
  if (!document) return {};
  const boost::json::value* list = JsonFields(*document).Find(name);
  return list != nullptr && list->is_array() ? list->get_array() : boost::json::array();
}

// Of an item's reader with its author; 0 where it is not told.
int InteractionsIn(JsonFields* item) {
  const boost::json::value* explain = item->Find("explain");
  const boost::json::value* affinity = explain == nullptr ? nullptr : JsonFields(*explain).Find("affinity");
  if (affinity == nullptr) return 0;
  return static_cast<int>(JsonFields(*affinity).RequireInt("interactions").value_or(0));
}

std::optional<LiveItem> ReadItem(const boost::json::value& object) {
  JsonFields item(object);
  const boost::json::value* post = item.Find("post");
  const Result<std::string> source = item.RequireString("source");
  if (post == nullptr || !source) return std::nullopt;
  JsonFields fields(*post);
  const std::optional<Uuid> id = RequireUuid(&fields, "id");
  const std::optional<Uuid> author = RequireUuid(&fields, "author_id");
  const Result<std::string> text = fields.RequireString("text");
  if (!id || !author || !text) return std::nullopt;
  return LiveItem{*id, *author, *text, *source == "follow", InteractionsIn(&item)};
}

}  // namespace

LiveCall CallFor(const LiveStep& step, TimeMs now) {
  const std::string subject = step.subject.ToString();
  const std::string limit = std::to_string(step.limit);
  switch (step.act) {
    case LiveAct::kReadFeed:
      return {Method::kGet, "/api/v1/feed?limit=" + limit + (step.only_following ? "&mode=following" : "&explain=1"),
              ""};
    case LiveAct::kSee:
    case LiveAct::kView:
    case LiveAct::kShare:
      return {Method::kPost, "/api/v1/events", EventsBody(step, now)};
    case LiveAct::kLike:
      return {Method::kPut, "/api/v1/posts/" + subject + "/like", ""};
    case LiveAct::kComment:
      return {Method::kPost, "/api/v1/posts/" + subject + "/comments", TextBody(step.text)};
    case LiveAct::kPost:
      return {Method::kPost, "/api/v1/posts", TextBody(step.text)};
    case LiveAct::kDiscover:
      return {Method::kGet, "/api/v1/discover/suggested-users?limit=" + limit, ""};
    case LiveAct::kFollow:
      return {Method::kPut, "/api/v1/users/" + subject + "/follow", ""};
    case LiveAct::kUnfollow:
      break;
  }
  return {Method::kDelete, "/api/v1/users/" + subject + "/follow", ""};
}

std::vector<LiveItem> ReadFeedItems(const std::string& body) {
  std::vector<LiveItem> items;
  for (const boost::json::value& object : ObjectsOf(body, "items")) {
    if (std::optional<LiveItem> item = ReadItem(object)) items.push_back(std::move(*item));
  }
  return items;
}

std::vector<Uuid> ReadSuggestions(const std::string& body) {
  std::vector<Uuid> users;
  for (const boost::json::value& object : ObjectsOf(body, "users")) {
    const boost::json::value* user = JsonFields(object).Find("user");
    if (user == nullptr) continue;
    JsonFields fields(*user);
    if (const std::optional<Uuid> id = RequireUuid(&fields, "id")) users.push_back(*id);
  }
  return users;
}

}  // namespace novafeed
