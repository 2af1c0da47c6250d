// The words of the demo network: what its people talk about, and how they are called.
#pragma once

#include <span>
#include <string_view>

namespace novafeed {

using Words = std::span<const std::string_view>;

// What a community talks about. The phrases fit the sentence patterns of demo/writer.cpp:
struct Topic {
  std::string_view name;
  Words things;    // after "the"; never the subject of a verb whose number shows
  Words deeds;     // after "I": past tense, complete
  Words outcomes;  // a clause of its own, past tense
  Words problems;  // a noun phrase
  Words advice;    // an imperative
  Words places;    // where or when one does it
};

std::span<const Topic> Topics();

struct PersonName {
  std::string_view handle;  // ASCII
  std::string_view name;
};

Words GivenNames();
Words FamilyNames();
// Names in other scripts and directions, so that the demo shows how they are handled.
std::span<const PersonName> OtherNames();

}  // namespace novafeed
