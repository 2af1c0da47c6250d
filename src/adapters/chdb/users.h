// Who may use the engine over HTTP: two users of this machine, their secrets in a file of the data directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace novafeed {

struct OlapUser {
  std::string name;
  std::string password;
};

struct OlapUsers {
  OlapUser writer;  // "novafeed": everything
  OlapUser reader;  // "reader": what read_only.h allows

  // DIR/olap.json (mode 0600), made with new passwords where it is missing. Errors of OpenSecretFile; kInternal
  // "bad_users_file" where it is malformed.
  static Result<OlapUsers> Open(const std::string& directory);
};

enum class OlapRole { kWriter, kReader };

// The role of who knows the password. The time that it takes does not depend on how much of it is right.
std::optional<OlapRole> Authenticate(const OlapUsers& users, std::string_view name, std::string_view password);

}  // namespace novafeed
