#include "stream/position.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "base/crypto.h"
#include "base/text.h"
#include "social/byte_codec.h"
#include "stream/code_position.h"

namespace novafeed {
namespace {

// The bytes that stand as base64url in a position: raised whenever their layout changes.
constexpr char kFormat = 2;
constexpr std::size_t kFingerprintBytes = 8;

std::string FingerprintOf(std::string_view generation) {
  return std::string(AsView(Sha256(generation)).substr(0, kFingerprintBytes));
}

tl::unexpected<Error> BadPosition() {
  return Fail(Failure::kInvalid, "bad_position",
              "This is not a position; send the value of a Novafeed-Position header as it came.");
}

}  // namespace

std::string EncodePosition(const Position& position) {
  std::string bytes;
  ByteWriter writer(kFormat, &bytes);
  writer.Code(FingerprintOf(position.generation));
  CodePoints(writer, position);
  return EncodeBase64Url(bytes);
}

Result<Position> DecodePosition(std::string_view text, std::string_view generation) {
  const std::optional<std::string> bytes = DecodeBase64Url(text);
  if (!bytes) return BadPosition();
  Position position;
  position.generation = generation;
  std::string fingerprint;
  ByteReader reader(kFormat, *bytes);
  reader.Code(fingerprint);
  CodePoints(reader, position);
  const bool is_sound = position.changes >= 0 && Reached(EventPoints(), position.events);
  if (!reader.ReadAll() || fingerprint.size() != kFingerprintBytes || !is_sound) return BadPosition();
  if (fingerprint != FingerprintOf(generation)) {
    return Fail(
        Failure::kInvalid, "other_generation",
        "This position is of another data set (a new one was made in the place of the old one); read without it.");
  }
  return position;
}

Position Union(const Position& a, const Position& b) {
  if (!a.generation.empty() && !b.generation.empty() && a.generation != b.generation) {
    throw std::logic_error("positions of two generations have no union");
  }
  return {a.generation.empty() ? b.generation : a.generation, std::max(a.changes, b.changes),
          Union(a.events, b.events)};
}

bool Reached(const Position& wanted, const Position& applied) {
  if (!wanted.generation.empty() && wanted.generation != applied.generation) return false;
  return wanted.changes <= applied.changes && Reached(wanted.events, applied.events);
}

void RenderPosition(const Position& position, JsonWriter* json) {
  json->BeginObject().Key("changes").Int(position.changes).Key("events").Int(position.events.Total());
  json->Key("event_points").BeginArray();
  for (const std::int64_t point : position.events.List()) json->Int(point);
  json->EndArray().EndObject();
}

}  // namespace novafeed
