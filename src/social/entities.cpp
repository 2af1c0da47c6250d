#include "social/entities.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/crypto.h"

namespace novafeed {
namespace {

constexpr std::array kEventTypes = {EventType::kImpression, EventType::kView, EventType::kShare, EventType::kLike,
                                    EventType::kUnlike};

void AppendUuid(const Uuid& id, std::string* bytes) {
  bytes->append(id.bytes.begin(), id.bytes.end());
}

void AppendBigEndian(std::int64_t number, std::string* bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes->push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xff));
  }
}

}  // namespace

std::string_view EventTypeName(EventType type) {
  switch (type) {
    case EventType::kImpression:
      return "impression";
    case EventType::kView:
      return "view";
    case EventType::kShare:
      return "share";
    case EventType::kLike:
      return "like";
    case EventType::kUnlike:
      return "unlike";
  }
  throw std::logic_error("unknown EventType");
}

std::optional<EventType> ParseEventType(std::string_view name) {
  for (const EventType type : kEventTypes) {
    if (EventTypeName(type) == name) return type;
  }
  return std::nullopt;
}

Uuid EventIdentity(const Event& event) {
  std::string identity;
  identity.reserve(57);
  AppendUuid(event.user.value, &identity);
  identity.push_back(static_cast<char>(event.type));
  AppendUuid(event.post.value, &identity);
  AppendBigEndian(event.at, &identity);
  AppendUuid(event.event_id.value, &identity);

  const Sha256Digest digest = Sha256(identity);
  Uuid id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

}  // namespace novafeed
