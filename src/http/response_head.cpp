#include "http/response_head.h"

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <stdexcept>

namespace novafeed {
namespace {

constexpr std::array<std::string_view, 6> kWrittenByServer{
    "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "X-Content-Type-Options", "X-Request-Id"};

constexpr std::string_view kBreaks("\r\n\0", 3);

bool HasBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

bool IsWrittenByServer(std::string_view name) {
  return std::any_of(kWrittenByServer.begin(), kWrittenByServer.end(),
                     [name](std::string_view own) { return SameHeaderName(own, name); });
}

void AppendHeader(std::string_view name, std::string_view value, std::string* head) {
  head->append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view BodyOf(const HttpResponse& response) {
  if (!HasBody(response.status)) return {};
  return response.static_body.empty() ? std::string_view(response.body) : response.static_body;
}

void CheckHeaders(const HttpResponse& response) {
  const auto has_break = [](std::string_view text) { return text.find_first_of(kBreaks) != text.npos; };
  if (has_break(response.content_type)) throw std::logic_error("a line break in the content type");
  for (const auto& [name, value] : response.headers) {
    if (has_break(name) || has_break(value)) throw std::logic_error("a line break in a response header");
  }
}

std::string RenderResponseHead(const HttpResponse& response, bool keep_alive, std::string_view request_id) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  std::string head;
  head.reserve(384);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head.append(reason.data(), reason.size()).append("\r\n");
  if (HasBody(response.status)) {
    AppendHeader("Content-Type", response.content_type, &head);
    AppendHeader("Content-Length", std::to_string(BodyOf(response).size()), &head);
  }
  AppendHeader("X-Content-Type-Options", "nosniff", &head);
  AppendHeader("X-Request-Id", request_id, &head);
  for (const auto& [name, value] : response.headers) {
    if (!IsWrittenByServer(name)) AppendHeader(name, value, &head);
  }
  if (!keep_alive) AppendHeader("Connection", "close", &head);
  head.append("\r\n");
  return head;
}

}  // namespace novafeed
