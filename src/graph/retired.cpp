#include "graph/retired.h"

#include <algorithm>
#include <string>

#include "base/crypto.h"

namespace novafeed {

Uuid RetiredDigest(RetiredKind kind, const Uuid& id) {
  std::string bytes = "novafeed/retired";
  bytes += static_cast<char>(kind);
  bytes.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  const Sha256Digest whole = Sha256(bytes);
  Uuid digest;
  std::copy_n(whole.begin(), digest.bytes.size(), digest.bytes.begin());
  return digest;
}

}  // namespace novafeed
