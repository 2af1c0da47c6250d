#include "adapters/postgres/values.h"

#include <algorithm>
#include <stdexcept>

#include "base/text.h"
#include "graph/store.h"

namespace novafeed::postgres {
namespace {

constexpr std::size_t kNull = SIZE_MAX;
constexpr int kBinary = 1;

// PostgreSQL counts microseconds since 2000.
constexpr TimeMs kEpochMs = 946'684'800'000;
constexpr std::int64_t kMicrosPerMs = 1000;

void AppendNumber(std::uint64_t number, std::size_t size, std::string* bytes) {
  for (std::size_t i = size; i-- > 0;) bytes->push_back(static_cast<char>(number >> (8 * i) & 0xff));
}

std::uint64_t NumberIn(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<std::uint8_t>(byte);
  return number;
}

void RequireLength(std::string_view bytes, std::size_t length) {
  if (bytes.size() == length) return;
  throw std::logic_error("a column has " + std::to_string(bytes.size()) + " bytes in the place of " +
                         std::to_string(length));
}

}  // namespace

std::array<const char*, 12> Parameters::Values() const {
  std::array<const char*, kMost> values{};
  for (std::size_t i = 0; i < count_; ++i) values[i] = starts_[i] == kNull ? nullptr : bytes_.data() + starts_[i];
  return values;
}

void Parameters::Close(std::size_t size) {
  if (count_ == kMost) throw std::logic_error("a statement with too many parameters");
  starts_[count_] = bytes_.size() - size;
  lengths_[count_] = static_cast<int>(size);
  formats_[count_] = kBinary;
  ++count_;
}

void Parameters::AddNull() {
  Close(0);
  starts_[count_ - 1] = kNull;
}

void Parameters::Add(std::int64_t number) {
  AppendNumber(static_cast<std::uint64_t>(number), 8, &bytes_);
  Close(8);
}

void Parameters::Add(std::int16_t number) {
  AppendNumber(static_cast<std::uint16_t>(number), 2, &bytes_);
  Close(2);
}

void Parameters::Add(bool truth) {
  bytes_.push_back(truth ? 1 : 0);
  Close(1);
}

void Parameters::Add(const Uuid& id) {
  bytes_.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  Close(id.bytes.size());
}

void Parameters::Add(std::string_view text) {
  if (HasCharacterZero(text)) {
    throw StoreError(Error{Failure::kUnprocessable, "bad_text",
                           "The text has the character U+0000, which the database cannot keep; leave it out.", 0});
  }
  Add(Bytes{text});
}

void Parameters::Add(Bytes bytes) {
  bytes_.append(bytes.bytes);
  Close(bytes.bytes.size());
}

void Parameters::Add(Instant instant) {
  Add(instant.at == kInfinity ? INT64_MAX : (instant.at - kEpochMs) * kMicrosPerMs);
}

std::int64_t DecodeInt(std::string_view bytes) {
  const std::uint64_t number = NumberIn(bytes);
  switch (bytes.size()) {
    case 2:
      return static_cast<std::int16_t>(number);
    case 4:
      return static_cast<std::int32_t>(number);
    default:
      RequireLength(bytes, 8);
      return static_cast<std::int64_t>(number);
  }
}

bool DecodeBool(std::string_view bytes) {
  RequireLength(bytes, 1);
  return bytes[0] != 0;
}

Uuid DecodeUuid(std::string_view bytes) {
  Uuid id;
  RequireLength(bytes, id.bytes.size());
  std::copy_n(reinterpret_cast<const std::uint8_t*>(bytes.data()), id.bytes.size(), id.bytes.begin());
  return id;
}

TimeMs DecodeInstant(std::string_view bytes) {
  RequireLength(bytes, 8);
  const auto micros = static_cast<std::int64_t>(NumberIn(bytes));
  // Truncated towards the past, as all times are (contract, section 1); what this program wrote has whole milliseconds.
  const std::int64_t down = micros % kMicrosPerMs < 0 ? 1 : 0;
  return micros / kMicrosPerMs - down + kEpochMs;
}

}  // namespace novafeed::postgres
