// Who comes: viewer by rank, with a probability that is inverse to the rank (Zipf, exponent 1).
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace novafeed::bench {

class Zipf {
 public:
  explicit Zipf(std::uint32_t count) {
    double sum = 0;
    for (std::uint32_t rank = 1; rank <= count; ++rank) sums_.push_back(sum += 1.0 / rank);
  }

  // A rank from 0 up.
  template <class Random>
  std::uint32_t Draw(Random& random) const {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random);
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), at);
    return static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(found - sums_.begin(), std::ssize(sums_) - 1));
  }

 private:
  std::vector<double> sums_;
};

}  // namespace novafeed::bench
