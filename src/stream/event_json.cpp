#include "stream/event_json.h"

#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/crypto.h"
#include "base/json.h"

namespace novafeed {
namespace {

tl::unexpected<Error> BadEvent(const std::string& why) {
  return Fail(Failure::kUnprocessable, "bad_event", "This is no event: " + why);
}

std::optional<Uuid> ParseDigest(std::string digits) {
  if (digits.size() != 32) return std::nullopt;
  for (const std::size_t dash : {8, 13, 18, 23}) digits.insert(dash, 1, '-');
  return ParseUuid(digits);
}

// Reads one member after the other; the first that is wrong is remembered.
class EventFields {
 public:
  explicit EventFields(const boost::json::value& object) : fields_(object) {}

  template <class Id>
  void Read(std::string_view name, Id* id) {
    const std::optional<std::string> text = Take(fields_.RequireString(name));
    const std::optional<Uuid> uuid = ParseUuid(text.value_or(""));
    if (uuid) id->value = *uuid;
    if (!uuid) NoteWrong(name, "is no UUID");
  }
  void ReadTime(std::string_view name, TimeMs* time) {
    *time = Take(fields_.RequireInt(name)).value_or(0);
    if (*time < 0 || *time >= kMaxTime) NoteWrong(name, "is no time");
  }
  void ReadType(EventType* type) {
    const std::optional<EventType> read = ParseEventType(Take(fields_.RequireString("type")).value_or(""));
    if (read) *type = *read;
    if (!read) NoteWrong("type", "is none that is known");
  }
  void ReadIdentity(std::optional<Uuid>* identity) {
    const std::optional<std::string> digits = Take(fields_.OptionalString("identity")).value_or(std::nullopt);
    if (!digits) return;
    *identity = ParseDigest(*digits);
    if (!*identity) NoteWrong("identity", "is not 32 hex digits");
  }

  const std::string& wrong() const { return wrong_; }

 private:
  template <class T>
  std::optional<T> Take(Result<T> read) {
    if (read) return *std::move(read);
    if (wrong_.empty()) wrong_ = read.error().detail;
    return std::nullopt;
  }
  void NoteWrong(std::string_view name, std::string_view what) {
    if (wrong_.empty()) wrong_.append(name).append(" ").append(what).append(".");
  }

  JsonFields fields_;
  std::string wrong_;
};

}  // namespace

std::string RenderEventJson(const LoggedEvent& logged) {
  const Event& event = logged.event;
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("event_id").String(event.event_id.ToString()).Key("type").String(EventTypeName(event.type));
  json.Key("user_id").String(event.user.ToString()).Key("post_id").String(event.post.ToString());
  json.Key("at").Int(event.at).Key("post_author_id").String(event.post_author.ToString());
  json.Key("post_created_at").Int(event.post_created_at).Key("received_at").Int(logged.received_at);
  const Uuid identity = logged.Identity();
  const std::string_view digest(reinterpret_cast<const char*>(identity.bytes.data()), identity.bytes.size());
  json.Key("identity").String(ToHex(digest)).EndObject();
  return text;
}

Result<LoggedEvent> ParseEventJson(std::string_view json) {
  const Result<boost::json::value> value = ParseJson(json);
  if (!value) return BadEvent(value.error().detail);
  LoggedEvent logged;
  Event& event = logged.event;
  EventFields fields(*value);
  fields.Read("event_id", &event.event_id);
  fields.ReadType(&event.type);
  fields.Read("user_id", &event.user);
  fields.Read("post_id", &event.post);
  fields.ReadTime("at", &event.at);
  fields.Read("post_author_id", &event.post_author);
  fields.ReadTime("post_created_at", &event.post_created_at);
  fields.ReadTime("received_at", &logged.received_at);
  fields.ReadIdentity(&logged.identity);
  if (!fields.wrong().empty()) return BadEvent(fields.wrong());
  if (logged.identity == EventIdentity(event)) logged.identity.reset();
  return logged;
}

}  // namespace novafeed
