#include "api/assets.h"

#include <string>
#include <string_view>

namespace novafeed {
namespace {

// Nothing from elsewhere, no inline script or style, no frames around the page.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

// True where a comma-separated list of a header names `item`; parameters (";q=1") are looked at for refusal only.
bool Names(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view entry = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    const std::string_view name = entry.substr(0, entry.find_first_of("; "));
    if (name == item)
      return entry.find(";q=0") == std::string_view::npos || entry.find(";q=0.") != std::string_view::npos;
  }
  return false;
}

// Whether If-None-Match names this ETag; a weak one ("W/...") of the same text counts (RFC 9110, section 13.1.2).
bool Knows(const HttpRequest& request, std::string_view etag) {
  const std::string_view known = request.Header("If-None-Match");
  return known == "*" || Names(known, etag) || Names(known, "W/" + std::string(etag));
}

}  // namespace

HttpResponse AnswerAsset(const Asset& asset, const HttpRequest& request) {
  const bool packed = !asset.gzip.empty() && Names(request.Header("Accept-Encoding"), "gzip");
  HttpResponse response;
  response.headers = {{"ETag", std::string(packed ? asset.gzip_etag : asset.etag)},
                      {"Cache-Control", "no-cache"},
                      {"Vary", "Accept-Encoding"},
                      {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
                      {"Referrer-Policy", "no-referrer"}};
  if (Knows(request, asset.etag) || Knows(request, asset.gzip_etag)) {
    response.status = 304;
    response.content_type.clear();
    return response;
  }
  response.content_type = asset.content_type;
  response.static_body = packed ? asset.gzip : asset.bytes;
  if (packed) response.headers.emplace_back("Content-Encoding", "gzip");
  return response;
}

}  // namespace novafeed
