// Random draws that are the same on every platform, which the standard distributions do not promise.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace novafeed {

// SplitMix64. Not for secrets. One owner, no locking.
class DemoRandom {
 public:
  explicit DemoRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t mixed = (state_ += 0x9e3779b97f4a7c15ULL);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31);
  }

  // In [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // In [0, count); count > 0.
  std::size_t Below(std::size_t count) { return static_cast<std::size_t>(Next() % count); }
  bool Chance(double probability) { return Unit() < probability; }
  double Exponential(double mean) { return -mean * std::log1p(-Unit()); }
  // At least 1; P(X > x) = x^-alpha.
  double Pareto(double alpha) { return std::pow(1.0 - Unit(), -1.0 / alpha); }

  template <class T>
  const T& Pick(std::span<const T> from) {
    return from[Below(from.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace novafeed
