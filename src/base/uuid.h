// UUIDs, their text, and how new ones are made.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace novafeed {

// 16 bytes in network order. Comparison is bytewise: the "id bytes ascending" of the contract.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const Uuid&, const Uuid&) = default;
  friend std::strong_ordering operator<=>(const Uuid& a, const Uuid& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), 16) <=> 0;
  }

  std::string ToString() const;  // 8-4-4-4-12, lower case
  void AppendTo(std::string* text) const;
  bool IsNil() const { return *this == Uuid{}; }
};

// 8-4-4-4-12, any case; anything else is empty.
std::optional<Uuid> ParseUuid(std::string_view text);

// UUID version 5: a name within a namespace (SHA-1).
Uuid UuidFromName(const Uuid& name_space, std::string_view name);

// UUID version 7 for the instant `now_ms`: 48 bits of time, then 74 random bits. Thread-safe.
Uuid NewUuid(std::int64_t now_ms);

// The namespace of external ids: UUIDv5(NAMESPACE_URL, "urn:novafeed") (contract, section 3).
inline constexpr Uuid kNovafeedNamespace{
    {0xc1, 0xc8, 0xce, 0x8d, 0xf7, 0x35, 0x5b, 0xd1, 0xa9, 0xd4, 0x06, 0x85, 0xa5, 0x7e, 0x4b, 0x43}};

struct UuidHash {
  using is_avalanching = void;  // for boost::unordered_flat_map: no second mixing needed
  std::size_t operator()(const Uuid& id) const noexcept {
    std::uint64_t high;
    std::uint64_t low;
    std::memcpy(&high, id.bytes.data(), 8);
    std::memcpy(&low, id.bytes.data() + 8, 8);
    std::uint64_t mixed = (high ^ 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;
    mixed ^= mixed >> 32;
    mixed = (mixed ^ low) * 0x94d049bb133111ebULL;
    return static_cast<std::size_t>(mixed ^ (mixed >> 29));
  }
};

}  // namespace novafeed
