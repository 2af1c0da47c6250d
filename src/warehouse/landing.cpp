#include "warehouse/landing.h"

#include <stdexcept>

#include "base/crypto.h"
#include "base/json.h"
#include "capture/envelope.h"

namespace novafeed {
namespace {

constexpr std::string_view kTopicPrefix = "cdc.";
constexpr std::size_t kEventsTable = 5;
static_assert(kLandingTables[kEventsTable] == "novafeed.events_kafka");

// "cdc.posts" lands in "novafeed.posts_kafka".
std::size_t TableOf(std::string_view topic) {
  const std::string name = "novafeed." + std::string(topic.substr(kTopicPrefix.size())) + "_kafka";
  for (std::size_t table = 0; table < kLandingTables.size(); ++table) {
    if (kLandingTables[table] == name) return table;
  }
  throw std::logic_error("No landing table takes the topic " + std::string(topic));
}

}  // namespace

LandingLine LandingLineOf(const Change& change) {
  EnvelopeMessage message = EncodeEnvelope(change, change.committed_at);
  return {TableOf(message.topic), std::move(message.value)};
}

LandingLine LandingLineOf(const LoggedEvent& logged) {
  const Event& event = logged.event;
  LandingLine landing{kEventsTable, {}};
  JsonWriter json(&landing.line);
  json.BeginObject();
  json.Key("event_id").String(event.event_id.ToString()).Key("type").String(EventTypeName(event.type));
  json.Key("user_id").String(event.user.ToString()).Key("post_id").String(event.post.ToString());
  json.Key("at").Int(event.at).Key("post_author_id").String(event.post_author.ToString());
  json.Key("post_created_at").Int(event.post_created_at).Key("received_at").Int(logged.received_at);
  const Uuid identity = logged.Identity();
  const std::string_view digest(reinterpret_cast<const char*>(identity.bytes.data()), identity.bytes.size());
  json.Key("sequence").Int(logged.sequence).Key("identity").String(ToHex(digest)).EndObject();
  return landing;
}

void LandingBatch::Add(const LandingLine& line) {
  lines_.at(line.table).append(line.line).append("\n");
  ++rows_of_.at(line.table);
  ++rows_;
  bytes_ += line.line.size() + 1;
}

void LandingBatch::Clear() {
  for (std::string& lines : lines_) lines.clear();
  rows_of_ = {};
  rows_ = bytes_ = 0;
}

}  // namespace novafeed
