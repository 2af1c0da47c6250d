#include "timeline/suggestion_cache.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

#include "cache/keys.h"
#include "candidates/suggestions.h"
#include "social/byte_codec.h"

namespace novafeed {
namespace {

constexpr char kVersion = 1;

template <class Coder, class Kept>
void CodeHead(Coder& coder, Kept& kept) {
  coder.Code(kept.position.generation, kept.position.changes, kept.position.events, kept.list.as_of);
}
template <class Coder, class Person>
void CodePerson(Coder& coder, Person& person) {
  coder.Code(person.user, person.mutual_followers, person.counts.followers, person.counts.following);
}

std::int64_t BitsOf(double value) {
  return std::bit_cast<std::int64_t>(value);
}
double ReadDouble(ByteReader* reader) {
  std::int64_t bits = 0;
  reader->Code(bits);
  return std::bit_cast<double>(bits);
}

bool HasDismissed(const SuggestionList& list, const SuggestionRequest& request) {
  return std::ranges::any_of(list.users, [&](const Suggestion& suggestion) {
    return std::ranges::find(request.dismissed, suggestion.user) != request.dismissed.end();
  });
}

}  // namespace

std::string EncodeKeptSuggestions(const KeptSuggestions& kept) {
  std::string bytes;
  ByteWriter writer(kVersion, &bytes);
  CodeHead(writer, kept);
  writer.Code(static_cast<std::int64_t>(kept.limit));
  writer.CodeList(kept.list.users, [&](const Suggestion& person) {
    CodePerson(writer, person);
    writer.Code(BitsOf(person.score), BitsOf(person.affinity_score));
    writer.CodeList(person.mutual, [&](const UserId& mutual) { writer.Code(mutual); });
  });
  return bytes;
}

Result<KeptSuggestions> DecodeKeptSuggestions(std::string_view bytes) {
  KeptSuggestions kept;
  std::int64_t limit = 0;
  ByteReader reader(kVersion, bytes);
  CodeHead(reader, kept);
  reader.Code(limit);
  kept.limit = static_cast<std::size_t>(limit);
  reader.CodeList(kMaxSuggestions, &kept.list.users, [&](Suggestion& person) {
    CodePerson(reader, person);
    person.score = ReadDouble(&reader);
    person.affinity_score = ReadDouble(&reader);
    reader.CodeList(kSuggestReasons, &person.mutual, [&](UserId& mutual) { reader.Code(mutual); });
  });
  if (!reader.ReadAll()) {
    return Fail(Failure::kInternal, "bad_cached", "not a list of suggestions of this version");
  }
  return kept;
}

SuggestionCache::SuggestionCache(Cache* cache, const OwnFollows* follows, Metrics* metrics)
    : cache_(cache), follows_(follows), cached_("suggestions", metrics) {}

std::optional<SuggestionList> SuggestionCache::Find(const SuggestionRequest& request) {
  std::optional<SuggestionList> list = Read(request);
  (list ? cached_.hits : cached_.misses).Add();
  return list;
}

std::optional<SuggestionList> SuggestionCache::Read(const SuggestionRequest& request) const {
  const Result<std::optional<std::string>> bytes = cache_->Get(SuggestionsKey(request.viewer));
  if (!bytes || !*bytes) return std::nullopt;
  Result<KeptSuggestions> kept = DecodeKeptSuggestions(**bytes);
  if (!kept || !Reached(follows_->LastChange(request.viewer), kept->position)) return std::nullopt;
  SuggestionList& list = kept->list;
  if (kept->limit < request.limit || HasDismissed(list, request)) return std::nullopt;
  if (list.users.size() > request.limit) list.users.resize(request.limit);
  return std::move(list);
}

void SuggestionCache::Keep(UserId viewer, const KeptSuggestions& kept) {
  // Where it is not kept, it is made again.
  static_cast<void>(cache_->Put(SuggestionsKey(viewer), EncodeKeptSuggestions(kept), kSuggestionsTtl));
}

}  // namespace novafeed
