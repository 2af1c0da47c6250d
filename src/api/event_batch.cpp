#include "api/event_batch.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <stdexcept>

#include "api/render.h"
#include "base/json.h"
#include "social/ids.h"
#include "stream/topic_copier.h"

namespace novafeed {
namespace {

namespace json = boost::json;

// What is accepted here may come again for so long: the journal of the cluster goes by it.
static_assert(kMaxEventAge + kMaxEventAhead < kEventRepeats);

std::string_view StatusName(EventStatus status) {
  switch (status) {
    case EventStatus::kAccepted:
      return "accepted";
    case EventStatus::kDuplicate:
      return "duplicate";
    case EventStatus::kRejected:
      return "rejected";
  }
  throw std::logic_error("an event status without a name");
}

// Milliseconds, or RFC 3339 (contract, section 3).
std::optional<TimeMs> ToTime(const json::value& value) {
  if (const json::string* text = value.if_string()) return ParseRfc3339(*text);
  const std::int64_t* number = value.if_int64();
  return number != nullptr && *number >= 0 && *number < kMaxTime ? std::optional(*number) : std::nullopt;
}

// Reads one item, keeping the first thing that is wrong with it.
class ItemReader {
 public:
  ItemReader(const json::value& value, const EventRules& rules) : object_(value.if_object()), rules_(rules) {}

  EventItem Read() {
    item_.event.event_id = {ReadId("event_id", IdKind::kEvent)};
    ReadUser();
    ReadType();
    item_.event.post = {ReadId("post_id", IdKind::kPost)};
    ReadTime();
    if (const json::value* id = Find("event_id"); id != nullptr && id->is_string()) item_.event_id = id->get_string();
    return std::move(item_);
  }

 private:
  // An absent field and null are the same.
  const json::value* Find(std::string_view name) const {
    const json::value* field = object_ == nullptr ? nullptr : object_->if_contains(name);
    return field == nullptr || field->is_null() ? nullptr : field;
  }

  const json::value* Require(std::string_view name) {
    const json::value* field = Find(name);
    if (field == nullptr) Reject("missing_field", name);
    return field;
  }

  void Reject(std::string_view code, std::string_view field) {
    if (!item_.rejected()) item_.Reject(code, field);
  }

  Uuid ToId(const json::value& field, std::string_view name, IdKind kind) {
    const json::string* text = field.if_string();
    const std::optional<ParsedId> id = text != nullptr ? ParseApiId(kind, *text) : std::nullopt;
    if (!id) Reject("bad_id", name);
    return id ? id->id : Uuid();
  }

  Uuid ReadId(std::string_view name, IdKind kind) {
    const json::value* field = Require(name);
    return field != nullptr ? ToId(*field, name, kind) : Uuid();
  }

  void ReadUser() {
    constexpr std::string_view kName = "user_id";
    const json::value* named = Find(kName);
    if (named != nullptr && !rules_.may_name_users) return Reject("user_not_allowed", kName);
    if (named != nullptr) {
      item_.event.user = {ToId(*named, kName, IdKind::kUser)};
    } else if (rules_.person) {
      item_.event.user = *rules_.person;
    } else {
      Reject("missing_field", kName);
    }
  }

  void ReadType() {
    const json::value* field = Require("type");
    if (field == nullptr) return;
    const json::string* name = field->if_string();
    const std::optional<EventType> type = name != nullptr ? ParseEventType(*name) : std::nullopt;
    if (!type) return Reject("unknown_type", "type");
    item_.event.type = *type;
  }

  void ReadTime() {
    const json::value* field = Require("at");
    if (field == nullptr) return;
    const std::optional<TimeMs> at = ToTime(*field);
    if (!at) return Reject("bad_time", "at");
    if (*at < rules_.arrival - kMaxEventAge || *at > rules_.arrival + kMaxEventAhead) Reject("time_out_of_range", "at");
    item_.event.at = *at;
  }

  const json::object* object_;
  const EventRules& rules_;
  EventItem item_;
};

bool NamesUser(const json::value& item) {
  const json::object* object = item.if_object();
  return object != nullptr && object->contains("user_id");
}

Result<const json::array*> FindEvents(const json::value& body) {
  JsonFields fields(body);
  const json::value* events = fields.Find("events");
  if (!body.is_object() || (events != nullptr && !events->is_array())) {
    return Fail(Failure::kUnprocessable, "wrong_type", "The body must be an object with a list \"events\".");
  }
  if (events == nullptr) {
    return Fail(Failure::kUnprocessable, "missing_field", "The field \"events\" is required: add it.");
  }
  const json::array& list = events->get_array();
  if (list.empty() || list.size() > kMaxEventBatch) {
    return Fail(Failure::kUnprocessable, "bad_batch_size",
                "A batch holds 1 to " + std::to_string(kMaxEventBatch) + " events: send several batches.");
  }
  return &list;
}

}  // namespace

Result<std::vector<EventItem>> ParseEventBatch(const json::value& body, const EventRules& rules) {
  const Result<const json::array*> events = FindEvents(body);
  if (!events) return tl::unexpected(events.error());
  if (!rules.person && std::none_of((*events)->begin(), (*events)->end(), NamesUser)) {
    return Fail(Failure::kInvalid, "user_required",
                "Name the person in the header Novafeed-User, or in each event's user_id.");
  }
  std::vector<EventItem> items;
  items.reserve((*events)->size());
  for (const json::value& event : **events) items.push_back(ItemReader(event, rules).Read());
  return items;
}

std::string RenderEventResults(const std::vector<EventItem>& items) {
  const auto count = [&items](EventStatus status) {
    return std::count_if(items.begin(), items.end(), [status](const EventItem& item) { return item.status == status; });
  };
  std::string body;
  JsonWriter writer(&body);
  writer.BeginObject().Key("accepted").Int(count(EventStatus::kAccepted));
  writer.Key("duplicates").Int(count(EventStatus::kDuplicate)).Key("rejected").Int(count(EventStatus::kRejected));
  writer.Key("results").BeginArray();
  for (const EventItem& item : items) {
    writer.BeginObject();
    WriteOptional(&writer, "event_id", item.event_id);
    writer.Key("status").String(StatusName(item.status));
    if (item.rejected()) writer.Key("code").String(item.code);
    if (!item.field.empty()) writer.Key("field").String(item.field);
    writer.EndObject();
  }
  writer.EndArray().EndObject();
  return body;
}

}  // namespace novafeed
