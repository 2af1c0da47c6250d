#include "candidates/candidates.h"

#include <boost/unordered/unordered_flat_set.hpp>

namespace novafeed {

std::string_view SourceName(Source source) {
  switch (source) {
    case Source::kFollow:
      return "follow";
    case Source::kTrending:
      return "trending";
    case Source::kAffinity:
      return "affinity";
    case Source::kFallback:
      return "fallback";
  }
  return "";
}

bool NeedsFallback(const CandidateSet& set) {
  boost::unordered_flat_set<PostId, StrongIdHash<PostId>> different;
  for (const std::vector<Candidate>* list : {&set.follow, &set.trending, &set.affinity}) {
    for (const Candidate& candidate : *list) {
      different.insert(candidate.id);
      if (different.size() >= kFallbackBelow) return false;
    }
  }
  return true;
}

}  // namespace novafeed
