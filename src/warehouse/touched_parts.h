// Which parts of the touched_* tables have done their work, while rows land at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "warehouse/landing_topics.h"

namespace novafeed {

struct TouchedPart {
  std::string table;           // "touched_posts"
  std::string name;            // of the part: "all_1_3_1"
  std::int64_t max_block = 0;  // parts of a table are numbered as they appear; one that was merged has the last number
  friend bool operator==(const TouchedPart&, const TouchedPart&) = default;
};

// A block of messages is written table by table, and its offset is committed when all are. A part of a touched_* table
// may so be there before the rows of its block that count. It has done its work when a refresh has read it that began
// after its block was written whole. That is known from the offsets:
//
//   Parts were listed, and then the offsets were read. Blocks of a partition come one after the other. So the first
//   commit in a partition beyond the offset that was read there is that of the block which was on its way then, if one
//   was; and where the offset is the end of the partition, none was. When this holds in every partition of every topic,
//   every block of which something was listed is whole.
//
// Parts may merge meanwhile: what is numbered no higher than what was listed holds nothing that was not. A block that
// failed half-way is landed again, with parts of its own. Pure; for one thread.
class TouchedParts {
 public:
  // One round: `listed` are the parts that are there, and `offsets` was read after that. Returns those of `listed` that
  // may be dropped once everything in the touched_* tables has been refreshed, from now on.
  std::vector<TouchedPart> Note(const std::vector<TouchedPart>& listed, const LandingOffsets& offsets);
  // Nothing is known of what was listed: an engine that starts again may number its parts anew.
  void Forget() { rounds_.clear(); }

 private:
  using Blocks = std::map<std::string, std::int64_t>;  // the last number by table
  struct Round {
    Blocks listed;
    LandingOffsets offsets;
  };
  static constexpr std::size_t kMostRounds = 1000;

  std::deque<Round> rounds_;  // that may have seen a block on its way; rising
};

}  // namespace novafeed
