// Whether a password would travel where others can read it.
#pragma once

#include "base/result.h"
#include "base/settings.h"

namespace novafeed {

// One rule for every engine that the settings name: a password, whatever way it is proven, goes to this machine, or by
// TLS to a server whose certificate is verified, and nowhere else. Looks at graph.url (and at what libpq takes from the
// environment), log.url, cache.url and olap.url, where a password goes with them. kInvalid "plain_password" names the
// setting and what to write instead; kInvalid where a URL is none.
Status RefusePlainPasswords(const Settings& settings);

}  // namespace novafeed
