// The secrets of a data directory: KeyRing::Open of tokens.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "access/tokens.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"

namespace novafeed {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMaxTokenKeys = 2;
constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOthersMay = 0077;

// An open file that closes itself.
class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, kOwnerOnly)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

tl::unexpected<Error> Unusable(const std::string& path, const std::string& why) {
  return Fail(Failure::kInternal, "bad_key_file", "The key file " + path + " cannot be used: " + why);
}

tl::unexpected<Error> SystemError(const std::string& path) {
  return Unusable(path, std::strerror(errno));
}

std::string NewKeyFile() {
  std::string text;
  JsonWriter writer(&text);
  writer.BeginObject().Key("token_keys").BeginArray().BeginObject();
  writer.Key("kid").String(ToHex(RandomBytes(8)));
  writer.Key("secret").String(EncodeBase64Url(RandomBytes(kSecretBytes)));
  writer.EndObject().EndArray().Key("cursor_key").String(EncodeBase64Url(RandomBytes(kSecretBytes))).EndObject();
  return text + "\n";
}

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

// Makes the file, complete and durable, or leaves the one that another process has made meanwhile: link(), unlike
// rename(), never replaces.
Status MakeKeyFile(const std::string& directory, const std::string& path) {
  const std::string draft = path + ".new-" + ToHex(RandomBytes(8));
  const File file(draft, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.ok()) return SystemError(draft);
  const bool written = WriteAll(file.descriptor(), NewKeyFile());
  const bool linked = written && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  ::unlink(draft.c_str());
  if (!linked) return Unusable(path, std::strerror(error));
  const File parent(directory, O_RDONLY | O_DIRECTORY);
  if (!parent.ok() || ::fsync(parent.descriptor()) != 0) return SystemError(directory);
  return {};
}

Result<std::string> ReadAll(const std::string& path, int descriptor) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<std::string> ReadSecret(JsonFields* fields, std::string_view name) {
  const Result<std::string> text = fields->RequireString(name);
  if (!text) return tl::unexpected(text.error());
  std::optional<std::string> secret = DecodeBase64Url(*text);
  if (!secret || secret->size() < kSecretBytes) {
    return Fail(Failure::kInternal, "bad_key_file", std::string(name) + " must be at least 32 bytes in base64url.");
  }
  return *std::move(secret);
}

Result<TokenKey> ReadTokenKey(const boost::json::value& value) {
  JsonFields fields(value);
  Result<std::string> kid = fields.RequireString("kid");
  if (!kid) return tl::unexpected(kid.error());
  Result<std::string> secret = ReadSecret(&fields, "secret");
  if (!secret) return tl::unexpected(secret.error());
  const Status others = fields.RefuseOthers();
  if (!others) return tl::unexpected(others.error());
  return TokenKey{*std::move(kid), *std::move(secret)};
}

Result<std::vector<TokenKey>> ReadTokenKeys(const boost::json::value* value) {
  if (value == nullptr || !value->is_array() || value->as_array().empty() || value->as_array().size() > kMaxTokenKeys) {
    return Fail(Failure::kInternal, "bad_key_file", "token_keys must be a list of one or two keys.");
  }
  std::vector<TokenKey> keys;
  keys.reserve(value->as_array().size());
  for (const boost::json::value& entry : value->as_array()) {
    Result<TokenKey> key = ReadTokenKey(entry);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(*std::move(key));
  }
  if (keys.size() == kMaxTokenKeys && keys[0].kid == keys[1].kid) {
    return Fail(Failure::kInternal, "bad_key_file", "The two token keys must have different kids.");
  }
  return keys;
}

Result<KeyRing> ParseKeyFile(std::string_view text) {
  const Result<boost::json::value> document = ParseJson(text);
  if (!document) return tl::unexpected(document.error());
  JsonFields fields(*document);
  Result<std::vector<TokenKey>> token_keys = ReadTokenKeys(fields.Find("token_keys"));
  if (!token_keys) return tl::unexpected(token_keys.error());
  Result<std::string> cursor_key = ReadSecret(&fields, "cursor_key");
  if (!cursor_key) return tl::unexpected(cursor_key.error());
  const Status others = fields.RefuseOthers();
  if (!others) return tl::unexpected(others.error());
  return KeyRing{*std::move(token_keys), *std::move(cursor_key)};
}

}  // namespace

Result<KeyRing> KeyRing::Open(const std::string& directory) {
  const std::string path = directory + "/keys.json";
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    const Status made = MakeKeyFile(directory, path);
    if (!made) return tl::unexpected(made.error());
  }
  const File file(path, O_RDONLY);
  struct stat status{};
  if (!file.ok() || ::fstat(file.descriptor(), &status) != 0) return SystemError(path);
  if ((status.st_mode & kOthersMay) != 0) {
    return Unusable(path,
                    "others than its owner may read or write it; run chmod 600 on it, and put in new keys if it may "
                    "have been read.");
  }
  const Result<std::string> text = ReadAll(path, file.descriptor());
  if (!text) return tl::unexpected(text.error());
  Result<KeyRing> ring = ParseKeyFile(*text);
  if (!ring) return Unusable(path, ring.error().detail);
  return ring;
}

}  // namespace novafeed
