// A page of the feed as the cache keeps it: ids and integers; scores are computed from them again. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "candidates/candidates.h"
#include "stream/position.h"

namespace novafeed {

inline constexpr std::size_t kMaxPage = 100;

struct KeptPage {
  TimeMs as_of = 0;  // of ages and windows
  TimeMs trending_as_of = 0;
  TimeMs chosen_as_of = 0;    // the state that the posts were chosen from was at least this fresh
  TimeMs counters_as_of = 0;  // and so are their counters
  TimeMs ends_at = 0;         // kept until then
  Position position;          // of the log that the posts were chosen from
  std::vector<Candidate> posts;
};

std::string EncodeKeptPage(const KeptPage& page);
// kInternal "bad_cached": of another version, or cut.
Result<KeptPage> DecodeKeptPage(std::string_view bytes);

}  // namespace novafeed
