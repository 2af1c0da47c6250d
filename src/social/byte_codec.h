// Compact bytes of records: a version byte, then the fields in the order in which they are named. Ids are 16 bytes,
// integers zigzag varints, doubles 8 bytes, texts and lists have their length before them.
//
// A record has one list of fields for both directions, `template <class Coder, class Record> void CodeIt(Coder& coder,
// Record& record) { coder.Code(record.id, record.count); }`, given a ByteWriter or a ByteReader.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "social/ids.h"

namespace novafeed {

class ByteWriter {
 public:
  ByteWriter(char version, std::string* bytes) : bytes_(bytes) { bytes_->assign(1, version); }

  template <class... Fields>
  void Code(const Fields&... fields) {
    (Put(fields), ...);
  }
  // A list of at most `max` items, each as `code` codes it.
  template <class Items, class CodeItem>
  void CodeList(std::size_t /*max*/, const Items& items, CodeItem code) {
    PutVarint(items.size());
    for (const auto& item : items) code(item);
  }
  // A value of an enumeration that begins with 0 and ends with `last`.
  template <class Enum>
  void CodeEnum(Enum value, Enum /*last*/) {
    PutVarint(static_cast<std::uint64_t>(value));
  }

 private:
  void PutVarint(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_->push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    bytes_->push_back(static_cast<char>(value));
  }
  void Put(std::int64_t value) {
    PutVarint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void Put(bool value) { bytes_->push_back(value ? 1 : 0); }
  void Put(double value) {
    const auto bits = std::bit_cast<std::array<char, sizeof value>>(value);
    bytes_->append(bits.data(), bits.size());
  }
  void Put(const std::string& text) {
    PutVarint(text.size());
    bytes_->append(text);
  }
  template <class Tag>
  void Put(const StrongId<Tag>& id) {
    bytes_->append(reinterpret_cast<const char*>(id.value.bytes.data()), id.value.bytes.size());
  }
  template <class T>
  void Put(const std::optional<T>& value) {
    Put(value.has_value());
    if (value) Put(*value);
  }

  std::string* bytes_;
};

// Reads until something does not fit; then every further read does nothing.
class ByteReader {
 public:
  // Lives as long as `bytes`.
  ByteReader(char version, std::string_view bytes) : rest_(bytes) { ok_ = TakeByte() == version && ok_; }

  template <class... Fields>
  void Code(Fields&... fields) {
    (Get(fields), ...);
  }

  template <class Items, class CodeItem>
  void CodeList(std::size_t max, Items& items, CodeItem code) {
    const std::uint64_t size = TakeVarint();
    ok_ = ok_ && size <= max;
    items.resize(ok_ ? static_cast<std::size_t>(size) : 0);
    for (auto& item : items) code(item);
  }
  template <class Enum>
  void CodeEnum(Enum& value, Enum last) {
    const std::uint64_t number = TakeVarint();
    ok_ = ok_ && number <= static_cast<std::uint64_t>(last);
    if (ok_) value = static_cast<Enum>(number);
  }

  bool ReadAll() const { return ok_ && rest_.empty(); }

 private:
  std::string_view Take(std::size_t count) {
    ok_ = ok_ && count <= rest_.size();
    if (!ok_) return {};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  char TakeByte() {
    const std::string_view byte = Take(1);
    return ok_ ? byte[0] : '\0';
  }
  std::uint64_t TakeVarint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && ok_; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(TakeByte());
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  void Get(std::int64_t& value) {
    const std::uint64_t zigzag = TakeVarint();
    value = static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
  }
  void Get(bool& value) {
    const char byte = TakeByte();
    ok_ = ok_ && (byte == 0 || byte == 1);
    value = ok_ && byte == 1;
  }
  void Get(double& value) {
    std::array<char, sizeof value> bits{};
    const std::string_view taken = Take(bits.size());
    if (ok_) taken.copy(bits.data(), bits.size());
    value = std::bit_cast<double>(bits);
  }
  void Get(std::string& text) { text = Take(TakeVarint()); }
  template <class Tag>
  void Get(StrongId<Tag>& id) {
    const std::string_view taken = Take(id.value.bytes.size());
    if (ok_) std::memcpy(id.value.bytes.data(), taken.data(), taken.size());
  }
  template <class T>
  void Get(std::optional<T>& value) {
    bool present = false;
    Get(present);
    if (present) Get(value.emplace());
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace novafeed
