#include "timeline/cursor.h"

#include <cstring>

#include "base/crypto.h"
#include "base/text.h"
#include "ranking/ranking.h"
#include "social/byte_codec.h"
#include "stream/code_position.h"

namespace novafeed {
namespace {

// Raised whenever the layout of a payload changes: a cursor of another one is not opened.
constexpr char kFormat = 2;
constexpr std::size_t kServedBytes = 5;  // 40 bits
constexpr std::size_t kMacBytes = 16;

std::uint64_t Mix(std::uint64_t value) {  // the finalizer of splitmix64
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

void PutNumber(std::string* out, std::uint64_t value, std::size_t bytes = 8) {
  for (std::size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t TakeNumber(std::string_view* in, std::size_t bytes = 8) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>((*in)[i])) << (8 * i);
  }
  in->remove_prefix(bytes);
  return value;
}

// How many bytes it takes, in one byte, and these.
void PutPosition(std::string* out, const Position& position) {
  std::string bytes;
  ByteWriter writer(kFormat, &bytes);
  CodePoints(writer, position);
  PutNumber(out, bytes.size(), 1);
  *out += bytes;
}

// False where there is none.
bool TakePosition(std::string_view* in, const std::string& generation, Position* position) {
  if (in->empty()) return false;
  const std::size_t size = TakeNumber(in, 1);
  if (size > in->size()) return false;
  ByteReader reader(kFormat, in->substr(0, size));
  in->remove_prefix(size);
  position->generation = generation;
  CodePoints(reader, *position);
  return reader.ReadAll();
}

tl::unexpected<Error> BadCursor() {
  return Fail(Failure::kInvalid, "bad_cursor",
              "The cursor is not one that this feed gave for this viewer and mode: start again without a cursor.");
}

// What a cursor is bound to without containing it, and what it contains.
std::string Mac(const std::string& key, const std::string& generation, FeedMode mode, const UserId& viewer,
                std::string_view payload) {
  std::string signed_text(kProfile);
  signed_text.push_back('\0');
  signed_text += generation;
  signed_text.push_back('\0');
  signed_text.push_back(kFormat);
  signed_text.push_back(static_cast<char>(mode));
  signed_text.append(viewer.value.bytes.begin(), viewer.value.bytes.end());
  signed_text += payload;
  return std::string(AsView(HmacSha256(key, signed_text)).substr(0, kMacBytes));
}

// The payload of a cursor whose signature holds.
Result<std::string> Open(const std::string& key, const std::string& generation, FeedMode mode, const UserId& viewer,
                         std::string_view cursor) {
  const std::optional<std::string> bytes = DecodeBase64Url(cursor);
  if (!bytes || bytes->size() < kMacBytes) return BadCursor();
  std::string payload = bytes->substr(0, bytes->size() - kMacBytes);
  const std::string mac = Mac(key, generation, mode, viewer, payload);
  if (!ConstantTimeEqual(mac, std::string_view(*bytes).substr(payload.size()))) return BadCursor();
  return payload;
}

}  // namespace

ServedHash WalkState::HashOf(const PostId& post) const {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, post.value.bytes.data(), 8);
  std::memcpy(&low, post.value.bytes.data() + 8, 8);
  return Mix(Mix(Mix(salt) ^ high) ^ low) >> 24;
}

std::string CursorCodec::Encode(const WalkState& walk, UserId viewer) const {
  std::string payload;
  payload.reserve(64 + walk.served.size() * kServedBytes + kMacBytes);
  PutNumber(&payload, static_cast<std::uint64_t>(walk.as_of));
  PutNumber(&payload, static_cast<std::uint64_t>(walk.started_at));
  PutNumber(&payload, walk.salt);
  PutPosition(&payload, walk.position);
  for (const ServedHash hash : walk.served) PutNumber(&payload, hash, kServedBytes);
  payload += Mac(key_, generation_, FeedMode::kForYou, viewer, payload);
  return EncodeBase64Url(payload);
}

std::string CursorCodec::Encode(const FollowingPlace& place, UserId viewer) const {
  std::string payload;
  PutNumber(&payload, static_cast<std::uint64_t>(place.as_of));
  PutNumber(&payload, static_cast<std::uint64_t>(place.created_at));
  payload.append(place.id.value.bytes.begin(), place.id.value.bytes.end());
  PutPosition(&payload, place.position);
  payload += Mac(key_, generation_, FeedMode::kFollowing, viewer, payload);
  return EncodeBase64Url(payload);
}

Result<WalkState> CursorCodec::DecodeWalk(std::string_view cursor, UserId viewer) const {
  constexpr std::size_t kFixed = 24;
  const Result<std::string> payload = Open(key_, generation_, FeedMode::kForYou, viewer, cursor);
  if (!payload) return tl::unexpected(payload.error());
  if (payload->size() < kFixed) return BadCursor();
  std::string_view rest = *payload;
  WalkState walk;
  walk.as_of = static_cast<TimeMs>(TakeNumber(&rest));
  walk.started_at = static_cast<TimeMs>(TakeNumber(&rest));
  walk.salt = TakeNumber(&rest);
  if (!TakePosition(&rest, generation_, &walk.position) || rest.size() % kServedBytes != 0) return BadCursor();
  walk.served.reserve(rest.size() / kServedBytes);
  while (!rest.empty()) walk.served.push_back(TakeNumber(&rest, kServedBytes));
  return walk;
}

Result<FollowingPlace> CursorCodec::DecodeFollowing(std::string_view cursor, UserId viewer) const {
  constexpr std::size_t kFixed = 32;
  const Result<std::string> payload = Open(key_, generation_, FeedMode::kFollowing, viewer, cursor);
  if (!payload) return tl::unexpected(payload.error());
  if (payload->size() < kFixed) return BadCursor();
  std::string_view rest = *payload;
  FollowingPlace place;
  place.as_of = static_cast<TimeMs>(TakeNumber(&rest));
  place.created_at = static_cast<TimeMs>(TakeNumber(&rest));
  std::memcpy(place.id.value.bytes.data(), rest.data(), 16);
  rest.remove_prefix(16);
  if (!TakePosition(&rest, generation_, &place.position) || !rest.empty()) return BadCursor();
  return place;
}

}  // namespace novafeed
