#include "social/ids.h"

#include <stdexcept>

#include "base/text.h"

namespace novafeed {
namespace {

constexpr std::string_view kExternalPrefix = "ext:";

std::optional<ParsedId> FromExternal(IdKind kind, std::string_view external) {
  if (external.empty() || external.size() > kMaxExternalIdBytes) return std::nullopt;
  if (!CountCodePoints(external) || HasCharacterZero(external)) return std::nullopt;
  return ParsedId{IdFromExternal(kind, external), std::string(external)};
}

}  // namespace

std::string_view KindName(IdKind kind) {
  switch (kind) {
    case IdKind::kUser:
      return "user";
    case IdKind::kPost:
      return "post";
    case IdKind::kComment:
      return "comment";
    case IdKind::kEvent:
      return "event";
  }
  throw std::logic_error("unknown IdKind");
}

Uuid IdFromExternal(IdKind kind, std::string_view external) {
  std::string name(KindName(kind));
  name.push_back(':');
  name.append(external);
  return UuidFromName(kNovafeedNamespace, name);
}

std::optional<ParsedId> ParseApiId(IdKind kind, std::string_view text) {
  if (text.starts_with(kExternalPrefix)) return FromExternal(kind, text.substr(kExternalPrefix.size()));
  if (const std::optional<Uuid> id = ParseUuid(text)) return ParsedId{*id, std::nullopt};
  return std::nullopt;
}

std::optional<ParsedId> ParseImportId(IdKind kind, std::string_view text) {
  if (const std::optional<Uuid> id = ParseUuid(text)) return ParsedId{*id, std::nullopt};
  return FromExternal(kind, text);
}

}  // namespace novafeed
