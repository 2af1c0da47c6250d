#include "index/popularity.h"

namespace novafeed {

void Popularity::Add() {
  const auto user = static_cast<std::uint32_t>(users_.size());
  if (starts_.empty()) starts_.push_back(0);
  users_.push_back(user);
  places_.push_back(user);
}

void Popularity::PutAt(std::size_t place, std::uint32_t user) {
  const std::uint32_t other = users_[place];
  const std::uint32_t left = places_[user];
  users_[left] = other;
  places_[other] = left;
  users_[place] = user;
  places_[user] = static_cast<std::uint32_t>(place);
}

// To the front of its group, which then begins behind it: it is the last of the group above.
void Popularity::Raise(std::uint32_t user, std::uint32_t followers) {
  PutAt(starts_[followers], user);
  ++starts_[followers];
  if (followers + 1 == starts_.size()) starts_.push_back(0);
}

// To the end of its group, which then ends before it: it is the first of the group below.
void Popularity::Lower(std::uint32_t user, std::uint32_t followers) {
  const std::uint32_t start_below = --starts_[followers - 1];
  PutAt(start_below, user);
}

void Popularity::Assign(std::span<const std::uint32_t> followers) {
  const std::uint32_t most = followers.empty() ? 0 : *std::ranges::max_element(followers);
  std::vector<std::uint32_t> next(most + 1, 0);
  for (const std::uint32_t count : followers) ++next[count];
  std::uint32_t place = 0;
  for (std::size_t group = next.size(); group-- > 0;) {
    const std::uint32_t size = next[group];
    next[group] = place;
    place += size;
  }
  starts_ = next;
  users_.resize(followers.size());
  places_.resize(followers.size());
  for (std::uint32_t user = 0; user < followers.size(); ++user) {
    places_[user] = next[followers[user]]++;
    users_[places_[user]] = user;
  }
}

}  // namespace novafeed
