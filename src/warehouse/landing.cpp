#include "warehouse/landing.h"

#include <stdexcept>

#include "capture/envelope.h"
#include "stream/event_json.h"

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
  return {kEventsTable, RenderEventJson(logged)};
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
