// Files that are part of the program: the web pages and the API's document.
#pragma once

#include <span>
#include <string_view>

namespace novafeed {

// One file, ready to be answered. Every view lives as long as the program.
struct Asset {
  std::string_view path;          // the request path: "/app.js"; index.html is "/", docs.html is "/docs"
  std::string_view content_type;  // with its charset
  std::string_view etag;          // of `bytes`: the whole header value, strong
  std::string_view gzip_etag;     // of `gzip`
  std::string_view bytes;
  std::string_view gzip;  // the same bytes packed; empty where that would not be smaller
};

using AssetTable = std::span<const Asset>;

}  // namespace novafeed
