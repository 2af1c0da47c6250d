#include "warehouse/touched_parts.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace novafeed {
namespace {

// Whether no block that was on its way when `then` was read still is.
bool AreWhole(const LandingOffsets& then, const LandingOffsets& now) {
  for (std::size_t topic = 0; topic < now.size(); ++topic) {
    for (std::size_t partition = 0; partition < now[topic].size(); ++partition) {
      const PartitionOffsets& offsets = now[topic][partition];
      if (offsets.IsLandedWhole()) continue;
      const bool was_there = partition < then[topic].size();
      if (!was_there || offsets.committed <= then[topic][partition].committed) return false;
    }
  }
  return true;
}

}  // namespace

std::vector<TouchedPart> TouchedParts::Note(const std::vector<TouchedPart>& listed, const LandingOffsets& offsets) {
  if (rounds_.size() < kMostRounds) {
    Round& round = rounds_.emplace_back(Round{{}, offsets});
    for (const TouchedPart& part : listed) {
      std::int64_t& last = round.listed[part.table];
      last = std::max(last, part.max_block);
    }
  }
  Blocks whole;
  while (!rounds_.empty() && AreWhole(rounds_.front().offsets, offsets)) {
    for (const auto& [table, last] : rounds_.front().listed) whole[table] = std::max(whole[table], last);
    rounds_.pop_front();
  }
  std::vector<TouchedPart> done;
  std::ranges::copy_if(listed, std::back_inserter(done), [&whole](const TouchedPart& part) {
    const auto found = whole.find(part.table);
    return found != whole.end() && part.max_block <= found->second;
  });
  return done;
}

}  // namespace novafeed
