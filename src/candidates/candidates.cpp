#include "candidates/candidates.h"

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

}  // namespace novafeed
