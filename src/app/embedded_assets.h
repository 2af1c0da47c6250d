// The web page that the build put into the binary (cmake/Assets.cmake generates the definition from web/).
#pragma once

#include "base/assets.h"

namespace novafeed {

// Every file of the page, sorted by path. Never empty. Thread-safe.
AssetTable EmbeddedAssets();

}  // namespace novafeed
