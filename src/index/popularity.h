// Users by how many follow them: who has most, without a look at anybody else. No locks: IndexState's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace novafeed {

// Users are dense numbers. One list, most followers first, in groups of equally many: a user who gains or loses a
// follower changes places with one at the edge of the group, whatever its size. Eight bytes a user.
class Popularity {
 public:
  // The next number: a user whom nobody follows.
  void Add();
  // `user`, of `followers` until now, has one more, or one fewer.
  void Raise(std::uint32_t user, std::uint32_t followers);
  void Lower(std::uint32_t user, std::uint32_t followers);
  // All at once, in place of what was there: followers by user.
  void Assign(std::span<const std::uint32_t> followers);

  // Calls take(span of users) for one group after the other, most followers first, in no order within it, until it
  // returns false.
  template <class F>
  void WalkGroups(F&& take) const {
    for (std::size_t group = starts_.size(); group-- > 0;) {
      const std::size_t begin = starts_[group];
      const std::size_t end = group == 0 ? users_.size() : starts_[group - 1];
      if (begin < end && !take(std::span(users_).subspan(begin, end - begin))) return;
    }
  }

 private:
  void PutAt(std::size_t place, std::uint32_t user);  // who stood there takes the user's place

  std::vector<std::uint32_t> users_;   // most followers first
  std::vector<std::uint32_t> places_;  // of each user in users_
  std::vector<std::uint32_t> starts_;  // where the group of n followers begins, by n
};

}  // namespace novafeed
