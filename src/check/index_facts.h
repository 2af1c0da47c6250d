// What the index says in each of its relations.
#pragma once

#include "check/facts.h"
#include "index/feed_index.h"
#include "stream/position.h"

namespace novafeed {

// As of when an index was read, and from where on its windows are whole.
struct IndexReading {
  Position position;
  FactWindows windows;
};

// Gives the facts of all relations of the index, read at one instant. The index's writer waits meanwhile (a second for
// millions of rows); its readers do not.
IndexReading ReadIndexFacts(const FeedIndex& index, FactSink* sink);

}  // namespace novafeed
