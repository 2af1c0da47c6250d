// Debezium's JSON envelope (schemas off) for a change: what stands on cdc.* topics, and how it is read back.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "capture/change.h"

namespace novafeed {

struct EnvelopeMessage {
  std::string topic;  // "cdc.posts"
  std::string key;    // {"id":"…"}, members in primary-key order
  std::string value;  // the envelope, no blanks
};

// Names that the envelope's `source` block carries. Here: those of the embedded profile.
struct EnvelopeSource {
  std::string connector = "novafeed-embedded";
  std::string database = "novafeed";
  std::string version = "1";
};

// Pure. Member order, time format (six digits and Z), and null handling are Debezium's PostgreSQL connector's: columns
// in the order of the table, likes and follows with both halves of their key, follows with the seed's `following_id`. A
// soft delete of a post is an `u` with `deleted_at`. `emitted_at` is the envelope's own ts_ms.
EnvelopeMessage EncodeEnvelope(const Change& change, TimeMs emitted_at, const EnvelopeSource& source = {});

// The inverse for messages of cdc.* topics: unknown members are ignored; sequence = source.lsn,
// transaction = source.txId, committed_at = source.ts_ms. Errors name what is wrong (kUnprocessable "bad_envelope").
Result<Change> DecodeEnvelope(std::string_view topic, std::string_view value);
// The same of a message that is parsed already.
Result<Change> DecodeEnvelopeJson(std::string_view topic, const boost::json::value& value);

}  // namespace novafeed
