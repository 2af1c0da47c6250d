// Files that are part of the program: the web page.
#pragma once

#include <span>
#include <string_view>

namespace novafeed {

// One file, ready to be answered. Every view lives as long as the program.
struct Asset {
  std::string_view path;          // the request path: "/app.js"; index.html is "/"
  std::string_view content_type;  // with its charset
  std::string_view etag;          // the whole header value; weak, because both encodings share it
  std::string_view bytes;
  std::string_view gzip;  // the same bytes packed; empty where that would not be smaller
};

using AssetTable = std::span<const Asset>;

}  // namespace novafeed
