// Whom a viewer may want to follow, from one engine (contract, section 1, "Suggested users").
#pragma once

#include <chrono>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "candidates/suggestions.h"
#include "stream/log_progress.h"
#include "timeline/suggestion_cache.h"
#include "timeline/suggestion_list.h"

namespace novafeed {

// What one engine's suggestions are made from. All outlive the service.
struct SuggestionParts {
  SuggestionEngine* engine = nullptr;
  const LogProgress* progress = nullptr;  // of what the engine reads
  SuggestionCache* cache = nullptr;       // before the engine; null where a list is as soon made as read
};

// Thread-safe.
class SuggestionService {
 public:
  // `clock` and `metrics` outlive the service.
  SuggestionService(const Clock* clock, const SuggestionParts& parts, Metrics* metrics);

  // kInvalid "bad_limit", "bad_as_of".
  Status Check(const SuggestionRequest& request) const;
  // Milliseconds of work, or of waiting for the engine: belongs on a pool. Errors of the engine. "stale" where that
  // reads what is older than kStaleAfter.
  Result<SuggestionList> Suggest(const SuggestionRequest& request) const;
  // A list that is not read from a cache, to be kept in one.
  Result<KeptSuggestions> Prepare(const SuggestionRequest& request) const;

 private:
  Result<SuggestionList> FindOrMake(const SuggestionRequest& request) const;
  Result<SuggestionList> Make(const SuggestionRequest& request) const;

  const Clock* const clock_;
  const SuggestionParts parts_;
  const Counter failures_;
  const Histogram seconds_;
};

}  // namespace novafeed
