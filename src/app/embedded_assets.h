// The web pages and the API's document, which the build put into the binary (cmake/Assets.cmake generates the
// definition).
#pragma once

#include "base/assets.h"

namespace novafeed {

// Every file, sorted by path. Never empty. Thread-safe.
AssetTable EmbeddedAssets();

}  // namespace novafeed
