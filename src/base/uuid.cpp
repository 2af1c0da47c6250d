#include "base/uuid.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <stdexcept>

namespace novafeed {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool HasDashBefore(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

void Uuid::AppendTo(std::string* text) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  char out[36];
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (HasDashBefore(i)) out[at++] = '-';
    out[at++] = kDigits[bytes[i] >> 4];
    out[at++] = kDigits[bytes[i] & 15];
  }
  text->append(out, sizeof out);
}

std::string Uuid::ToString() const {
  std::string text;
  AppendTo(&text);
  return text;
}

std::optional<Uuid> ParseUuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (HasDashBefore(i) && text[at++] != '-') return std::nullopt;
    const int high = HexValue(text[at]);
    const int low = HexValue(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  return id;
}

Uuid UuidFromName(const Uuid& name_space, std::string_view name) {
  std::string input(name_space.bytes.begin(), name_space.bytes.end());
  input.append(name);
  std::array<std::uint8_t, 20> digest{};
  if (EVP_Digest(input.data(), input.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("SHA-1 is not available in this OpenSSL");
  }
  Uuid id;
  std::memcpy(id.bytes.data(), digest.data(), 16);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x50);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

Uuid NewUuid(std::int64_t now_ms) {
  Uuid id;
  if (RAND_bytes(id.bytes.data(), 16) != 1) throw std::runtime_error("no random numbers from the operating system");
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(now_ms) >> (40 - 8 * i));
  }
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x70);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

}  // namespace novafeed
