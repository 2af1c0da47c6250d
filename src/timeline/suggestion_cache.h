// Lists of suggested users, kept for a while: suggest:users:{user} (design, section 3, "Cache").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "cache/cache.h"
#include "cache/cache_metrics.h"
#include "stream/position.h"
#include "timeline/own_follows.h"
#include "timeline/suggestion_list.h"

namespace novafeed {

// A list as it is kept.
struct KeptSuggestions {
  Position position;       // of the log that it was made from
  std::int64_t limit = 0;  // that it was made for: one that is shorter is all that there is
  SuggestionList list;     // users and as_of alone
};

// Pure. kInternal "bad_cached".
std::string EncodeKeptSuggestions(const KeptSuggestions& kept);
Result<KeptSuggestions> DecodeKeptSuggestions(std::string_view bytes);

// Thread-safe.
class SuggestionCache {
 public:
  // All outlive it.
  SuggestionCache(Cache* cache, const OwnFollows* follows, Metrics* metrics);

  // The list that answers the request: made from a state that holds what is wanted and the viewer's own follows,
  // without whom they dismissed. Empty where there is none.
  std::optional<SuggestionList> Find(const SuggestionRequest& request);
  // Unless it was made from a state without the viewer's own follows.
  void Keep(UserId viewer, const KeptSuggestions& kept);

 private:
  std::optional<SuggestionList> Read(const SuggestionRequest& request) const;

  Cache* const cache_;
  const OwnFollows* const follows_;
  const CacheMetrics cached_;
};

}  // namespace novafeed
