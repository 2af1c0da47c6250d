// Values as PostgreSQL's binary format has them: what goes into parameters and comes out of columns. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "base/uuid.h"
#include "social/ids.h"

namespace novafeed::postgres {

// A timestamptz parameter; a plain TimeMs would be a bigint.
struct Instant {
  TimeMs at = 0;
};
// Later than every instant: PostgreSQL's 'infinity'. Only for comparing; no column takes it.
inline constexpr TimeMs kInfinity = INT64_MAX;

// A bytea parameter; a string_view is a text.
struct Bytes {
  std::string_view bytes;
};

// The parameters of one statement. Their order is that of $1, $2, …; what Add is given is copied.
class Parameters {
 public:
  template <class... Values>
  explicit Parameters(const Values&... values) {
    (Add(values), ...);
  }

  std::size_t count() const { return count_; }
  // In the form that libpq takes them; valid as long as this is. A null value is a null pointer.
  std::array<const char*, 12> Values() const;
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  static constexpr std::size_t kMost = 12;

  void Add(std::int64_t number);  // bigint
  void Add(std::int16_t number);  // smallint
  void Add(bool truth);
  void Add(const Uuid& id);
  // Throws StoreError kUnprocessable "bad_text" for a text with U+0000, which PostgreSQL cannot keep.
  void Add(std::string_view text);
  void Add(const std::string& text) { Add(std::string_view(text)); }
  void Add(const char* text) = delete;  // would be a bool
  void Add(Bytes bytes);
  void Add(Instant instant);
  template <class Tag>
  void Add(const StrongId<Tag>& id) {
    Add(id.value);
  }
  template <class T>
  void Add(const std::optional<T>& value) {
    if (value) return Add(*value);
    AddNull();
  }
  void AddNull();
  // The last `size` bytes of bytes_ are the next value.
  void Close(std::size_t size);

  std::string bytes_;
  std::array<std::size_t, kMost> starts_{};  // in bytes_; kNull: no value
  std::array<int, kMost> lengths_{};
  std::array<int, kMost> formats_{};
  std::size_t count_ = 0;
};

// Columns, as the server sent them. Another length than the type's is a bug of a statement: std::logic_error.
std::int64_t DecodeInt(std::string_view bytes);  // smallint, integer or bigint
bool DecodeBool(std::string_view bytes);
Uuid DecodeUuid(std::string_view bytes);
TimeMs DecodeInstant(std::string_view bytes);

// '{…}': an array of uuid for a parameter that the statement casts from text, as in `$1::text::uuid[]`.
template <class Items, class IdOf>
std::string UuidArray(const Items& items, const IdOf& id_of) {
  std::string text = "{";
  for (const auto& item : items) {
    if (text.size() > 1) text += ',';
    text += id_of(item).ToString();
  }
  return text + "}";
}

}  // namespace novafeed::postgres
