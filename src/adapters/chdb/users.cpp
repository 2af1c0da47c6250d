#include "adapters/chdb/users.h"

#include <boost/json/value.hpp>
#include <utility>

#include "base/crypto.h"
#include "base/json.h"
#include "base/secret_file.h"

namespace novafeed {
namespace {

constexpr std::size_t kPasswordBytes = 24;
constexpr std::size_t kLeastPassword = 16;
constexpr const char* kFileName = "olap.json";
constexpr const char* kWriterName = "novafeed";
constexpr const char* kReaderName = "reader";

std::string NewUsersFile() {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  for (const char* name : {kWriterName, kReaderName}) json.Key(name).String(ToHex(RandomBytes(kPasswordBytes)));
  json.EndObject();
  return text + "\n";
}

Result<OlapUser> ReadUser(JsonFields* fields, const char* name) {
  Result<std::string> password = fields->RequireString(name);
  if (!password) return tl::unexpected(std::move(password.error()));
  if (password->size() < kLeastPassword) {
    return Fail(Failure::kInternal, "bad_users_file",
                std::string(name) + " has a password of less than 16 characters.");
  }
  return OlapUser{name, std::move(*password)};
}

Result<OlapUsers> ReadUsers(std::string_view text) {
  const Result<boost::json::value> document = ParseJson(text);
  if (!document) return tl::unexpected(document.error());
  JsonFields fields(*document);
  Result<OlapUser> writer = ReadUser(&fields, kWriterName);
  if (!writer) return tl::unexpected(std::move(writer.error()));
  Result<OlapUser> reader = ReadUser(&fields, kReaderName);
  if (!reader) return tl::unexpected(std::move(reader.error()));
  if (Status others = fields.RefuseOthers(); !others) return tl::unexpected(std::move(others.error()));
  return OlapUsers{std::move(*writer), std::move(*reader)};
}

}  // namespace

Result<OlapUsers> OlapUsers::Open(const std::string& directory) {
  const Result<std::string> text = OpenSecretFile(directory, kFileName, NewUsersFile);
  if (!text) return tl::unexpected(text.error());
  Result<OlapUsers> users = ReadUsers(*text);
  if (!users) {
    return Fail(Failure::kInternal, "bad_users_file",
                directory + "/" + kFileName + " cannot be used (" + users.error().detail +
                    "): repair it, or remove it to have it made anew.");
  }
  return users;
}

std::optional<OlapRole> Authenticate(const OlapUsers& users, std::string_view name, std::string_view password) {
  // Both are compared in any case.
  const bool is_writer = ConstantTimeEqual(password, users.writer.password) && name == users.writer.name;
  const bool is_reader = ConstantTimeEqual(password, users.reader.password) && name == users.reader.name;
  if (is_writer) return OlapRole::kWriter;
  if (is_reader) return OlapRole::kReader;
  return std::nullopt;
}

}  // namespace novafeed
