#include "timeline/suggestion_cache.h"

#include <algorithm>
#include <utility>

#include "cache/keys.h"
#include "candidates/suggestions.h"
#include "social/byte_codec.h"
#include "stream/code_position.h"

namespace novafeed {
namespace {

constexpr char kVersion = 2;

template <class Coder, class Kept>
void CodeSuggestions(Coder& coder, Kept& kept) {
  CodePosition(coder, kept.position);
  coder.Code(kept.limit, kept.list.as_of);
  coder.CodeList(kMaxSuggestions, kept.list.users, [&coder](auto& person) {
    coder.Code(person.user, person.score, person.affinity_score, person.mutual_followers, person.counts.followers,
               person.counts.following);
    coder.CodeList(kSuggestReasons, person.mutual, [&coder](auto& mutual) { coder.Code(mutual); });
  });
}

}  // namespace

std::string EncodeKeptSuggestions(const KeptSuggestions& kept) {
  std::string bytes;
  ByteWriter writer(kVersion, &bytes);
  CodeSuggestions(writer, kept);
  return bytes;
}

Result<KeptSuggestions> DecodeKeptSuggestions(std::string_view bytes) {
  KeptSuggestions kept;
  ByteReader reader(kVersion, bytes);
  CodeSuggestions(reader, kept);
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
  if (!kept || !Reached(request.wanted, kept->position)) return std::nullopt;
  if (!follows_->Holds(request.viewer, kept->position)) return std::nullopt;

  std::vector<Suggestion>& users = kept->list.users;
  const bool is_all = std::cmp_less(users.size(), kept->limit);  // there were no more
  std::erase_if(users, [&](const Suggestion& suggestion) {
    return std::ranges::find(request.dismissed, suggestion.user) != request.dismissed.end();
  });
  if (users.size() < request.limit && !is_all) return std::nullopt;
  if (users.size() > request.limit) users.resize(request.limit);
  return std::move(kept->list);
}

void SuggestionCache::Keep(UserId viewer, const KeptSuggestions& kept) {
  if (!follows_->Holds(viewer, kept.position)) return;
  // Where it is not kept, it is made again.
  static_cast<void>(cache_->Put(SuggestionsKey(viewer), EncodeKeptSuggestions(kept), kSuggestionsTtl));
}

}  // namespace novafeed
