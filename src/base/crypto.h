// The few cryptographic primitives that Novafeed uses, on OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace novafeed {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest Sha256(std::string_view bytes);
Sha256Digest HmacSha256(std::string_view key, std::string_view bytes);

// A SHA-256 that is fed piece by piece; Snapshot() gives the digest up to here and goes on.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Update(std::string_view bytes);
  Sha256Digest Snapshot() const;

 private:
  evp_md_ctx_st* context_;
};

// Compares in constant time for equal lengths.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

// `count` bytes from the operating system's generator. Throws where there are none.
std::string RandomBytes(std::size_t count);

std::string ToHex(std::string_view bytes);  // lower case
inline std::string_view AsView(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace novafeed
