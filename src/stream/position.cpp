#include "stream/position.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "base/crypto.h"
#include "base/text.h"

namespace novafeed {
namespace {

// Format byte, fingerprint of the generation, changes, events; base64url of it. Numbers are in network order.
constexpr char kFormat = 1;
constexpr std::size_t kFingerprintBytes = 8;
constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kBytes = 1 + kFingerprintBytes + 2 * kNumberBytes;

std::string FingerprintOf(std::string_view generation) {
  return std::string(AsView(Sha256(generation)).substr(0, kFingerprintBytes));
}

void AppendNumber(std::int64_t number, std::string* bytes) {
  for (std::size_t i = 0; i < kNumberBytes; ++i) {
    bytes->push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> (56 - 8 * i) & 0xff));
  }
}

std::int64_t NumberAt(std::string_view bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kNumberBytes; ++i) {
    number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  }
  return static_cast<std::int64_t>(number);
}

tl::unexpected<Error> BadPosition() {
  return Fail(Failure::kInvalid, "bad_position",
              "This is not a position; send the value of a Novafeed-Position header as it came.");
}

}  // namespace

std::string EncodePosition(const Position& position) {
  std::string bytes(1, kFormat);
  bytes += FingerprintOf(position.generation);
  AppendNumber(position.changes, &bytes);
  AppendNumber(position.events, &bytes);
  return EncodeBase64Url(bytes);
}

Result<Position> DecodePosition(std::string_view text, std::string_view generation) {
  const std::optional<std::string> bytes = DecodeBase64Url(text);
  if (!bytes || bytes->size() != kBytes || bytes->front() != kFormat) return BadPosition();
  Position position;
  position.generation = generation;
  position.changes = NumberAt(*bytes, 1 + kFingerprintBytes);
  position.events = NumberAt(*bytes, 1 + kFingerprintBytes + kNumberBytes);
  if (position.changes < 0 || position.events < 0) return BadPosition();
  if (bytes->substr(1, kFingerprintBytes) != FingerprintOf(generation)) {
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
          std::max(a.events, b.events)};
}

bool Reached(const Position& wanted, const Position& applied) {
  if (!wanted.generation.empty() && wanted.generation != applied.generation) return false;
  return wanted.changes <= applied.changes && wanted.events <= applied.events;
}

}  // namespace novafeed
