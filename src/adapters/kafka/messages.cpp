#include "adapters/kafka/messages.h"

#include <boost/json.hpp>
#include <charconv>
#include <string>
#include <utility>

#include "base/json.h"
#include "capture/envelope.h"

namespace novafeed::kafka {
namespace {

namespace json = boost::json;

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

tl::unexpected<Error> BadTransaction(const std::string& detail) {
  return Fail(Failure::kUnprocessable, "bad_transaction", detail);
}

tl::unexpected<Error> BadEnvelope(const std::string& detail) {
  return Fail(Failure::kUnprocessable, "bad_envelope", detail);
}

// "novafeed.posts" is captured on "cdc.posts"; empty for a table that nobody here reads.
std::optional<std::size_t> TopicOfTable(std::string_view table) {
  const std::string_view name = table.substr(table.rfind('.') + 1);
  for (std::size_t topic = 0; topic < kRowTopics.size(); ++topic) {
    if (kRowTopics[topic].substr(kRowTopics[topic].find('.') + 1) == name) return topic;
  }
  return std::nullopt;
}

Status ReadCounts(const json::value* collections, TransactionEnd* end) {
  if (collections == nullptr || !collections->is_array()) return BadTransaction("\"data_collections\" is no array.");
  for (const json::value& collection : collections->get_array()) {
    JsonFields fields(collection);
    const Result<std::string> table = fields.RequireString("data_collection");
    const Result<std::int64_t> count = fields.RequireInt("event_count");
    if (!table || !count) return BadTransaction("\"data_collections\" does not say how many rows of which table.");
    if (const std::optional<std::size_t> topic = TopicOfTable(*table)) end->rows[*topic] = *count;
  }
  return {};
}

// "775:26914840": the transaction, and where it ends.
bool ReadId(std::string_view id, TransactionEnd* end) {
  const std::size_t colon = id.find(':');
  if (colon == id.npos) return false;
  const std::optional<std::int64_t> transaction = ParseNumber(id.substr(0, colon));
  const std::optional<std::int64_t> commit = ParseNumber(id.substr(colon + 1));
  if (!transaction || !commit) return false;
  end->transaction = *transaction;
  end->commit = *commit;
  return true;
}

// "sequence" is a string that holds an array: ["<end of the commit before>" or null, "<own place>"].
bool ReadFollows(std::string_view sequence, std::optional<Lsn>* follows) {
  const Result<json::value> places = ParseJson(sequence);
  if (!places || !places->is_array() || places->get_array().empty()) return false;
  const json::value& before = places->get_array().front();
  if (before.is_null()) return true;
  if (!before.is_string()) return false;
  *follows = ParseNumber(before.get_string());
  return follows->has_value();
}

Result<CapturedRow> ReadPlace(const json::value& envelope) {
  CapturedRow row;
  JsonFields members(envelope);
  const json::value* source = members.Find("source");
  if (source == nullptr) return BadEnvelope("\"source\" is missing.");
  JsonFields places(*source);
  const Result<std::int64_t> lsn = places.RequireInt("lsn");
  const Result<std::int64_t> transaction = places.RequireInt("txId");
  const Result<std::string> sequence = places.RequireString("sequence");
  const Result<std::string> snapshot = places.RequireString("snapshot");
  if (!lsn || !transaction || !sequence || !snapshot || !ReadFollows(*sequence, &row.follows)) {
    return BadEnvelope("\"source\" does not say where the row stands.");
  }
  row.lsn = *lsn;
  row.transaction = *transaction;
  if (*snapshot != "false") return row;

  const json::value* block = members.Find("transaction");
  if (block == nullptr || !block->is_object()) {
    return BadEnvelope("\"transaction\" is missing; set provide.transaction.metadata in the connector.");
  }
  const Result<std::int64_t> order = JsonFields(*block).RequireInt("total_order");
  if (!order || *order < 1) return BadEnvelope("\"transaction\" does not say which row of it this is.");
  row.order = *order;
  return row;
}

}  // namespace

Result<std::optional<TransactionEnd>> ParseTransaction(std::string_view value) {
  const Result<json::value> message = ParseJson(value);
  if (!message) return BadTransaction("The message is not JSON: " + message.error().detail);
  JsonFields fields(*message);
  const Result<std::string> status = fields.RequireString("status");
  if (status && *status == "BEGIN") return std::nullopt;
  if (!status || *status != "END") return BadTransaction("\"status\" is neither BEGIN nor END.");

  TransactionEnd end;
  const Result<std::string> id = fields.RequireString("id");
  if (!id || !ReadId(*id, &end)) return BadTransaction("\"id\" is not a transaction and its place.");
  const Result<std::int64_t> at = fields.RequireInt("ts_ms");
  if (!at) return BadTransaction("\"ts_ms\" is no time.");
  end.committed_at = *at;
  if (const Status counted = ReadCounts(fields.Find("data_collections"), &end); !counted) {
    return tl::unexpected<Error>(counted.error());
  }
  return end;
}

Result<ParsedRow> ParseRow(std::size_t topic, std::string_view value) {
  const Result<json::value> envelope = ParseJson(value);
  if (!envelope) return BadEnvelope("The message is not JSON: " + envelope.error().detail);
  Result<CapturedRow> row = ReadPlace(*envelope);
  if (!row) return tl::unexpected<Error>(row.error());
  ParsedRow parsed = {*std::move(row), {}};
  if (topic == kHeartbeatTopic || parsed.row.order == 0) return parsed;
  Result<Change> change = DecodeEnvelopeJson(kRowTopics[topic], *envelope);
  if (change) {
    parsed.row.change = *std::move(change);
  } else {
    parsed.problem = change.error();
  }
  return parsed;
}

}  // namespace novafeed::kafka
