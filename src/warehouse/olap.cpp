#include "warehouse/olap.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

namespace novafeed {
namespace {

static_assert(std::endian::native == std::endian::little, "RowBinary is little-endian, and read as it stands.");

template <class T>
T Load(const char* bytes) {
  T value{};
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

const char* OlapRows::Take(std::size_t size) {
  if (size > bytes_.size() - at_) throw std::out_of_range("An answer of the warehouse ends in the middle of a value.");
  const char* taken = bytes_.data() + at_;
  at_ += size;
  return taken;
}

std::uint8_t OlapRows::UInt8() {
  return Load<std::uint8_t>(Take(1));
}
std::uint16_t OlapRows::UInt16() {
  return Load<std::uint16_t>(Take(2));
}
std::uint32_t OlapRows::UInt32() {
  return Load<std::uint32_t>(Take(4));
}
std::uint64_t OlapRows::UInt64() {
  return Load<std::uint64_t>(Take(8));
}
std::int64_t OlapRows::Int64() {
  return Load<std::int64_t>(Take(8));
}
double OlapRows::Float64() {
  return Load<double>(Take(8));
}
bool OlapRows::IsNull() {
  return UInt8() != 0;
}
std::size_t OlapRows::ArraySize() {
  return VarUInt();
}

// Two numbers of 64 bits, each with its bytes reversed.
Uuid OlapRows::Id() {
  const char* bytes = Take(16);
  Uuid id;
  std::reverse_copy(bytes, bytes + 8, id.bytes.begin());
  std::reverse_copy(bytes + 8, bytes + 16, id.bytes.begin() + 8);
  return id;
}

std::string_view OlapRows::String() {
  const std::size_t size = VarUInt();
  return {Take(size), size};
}

std::uint64_t OlapRows::VarUInt() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = UInt8();
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  throw std::out_of_range("An answer of the warehouse holds a length that is none.");
}

}  // namespace novafeed
