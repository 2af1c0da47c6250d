// The standard data set (design, section 5): who and what it holds, by seed. Shared by the generator, which writes it
// as import lines, and by the load generator, which must name the same users and posts.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace novafeed::bench {

inline constexpr std::uint64_t kSeed = 20'261'123;

// Power laws, as 1 / rank^exponent over a fixed shuffle of the users (printed by the generator).
inline constexpr double kPostingExponent = 0.45;     // posts an author writes
inline constexpr double kPopularityExponent = 0.75;  // followers an author has
inline constexpr double kFollowingExponent = 0.65;   // authors a user follows
inline constexpr double kActivityExponent = 0.75;    // events a user sends

struct Sizes {
  std::uint32_t users = 100'000;
  std::uint32_t posts = 1'000'000;
  std::uint32_t follows = 5'000'000;
  std::uint32_t events = 10'000'000;

  static Sizes Scaled(double scale) {
    const Sizes full;
    const auto of = [scale](std::uint32_t count) { return static_cast<std::uint32_t>(count * scale); };
    return Sizes{of(full.users), of(full.posts), of(full.follows), of(full.events)};
  }
};

inline std::uint64_t Mix(std::uint64_t value) {  // splitmix64
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// The id of the n-th user ('u'), post ('p') or event ('e'): a UUID that looks random, and is always the same.
inline std::string NumberedId(char kind, std::uint32_t number) {
  const std::uint64_t high = Mix(kSeed ^ (static_cast<std::uint64_t>(kind) << 40) ^ number);
  const std::uint64_t low = Mix(high ^ 0x5851f42d4c957f2dULL);
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                static_cast<unsigned>(0x8000 | (low >> 48 & 0x3fff)),
                static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text;
}

}  // namespace novafeed::bench
