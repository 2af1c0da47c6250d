#include "http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>
#include <optional>

#include "http/gunzip.h"

namespace novafeed {
namespace {

namespace http = boost::beast::http;
using ErrorCode = boost::beast::error_code;

std::string_view AsStd(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

Method MethodOf(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::put:
      return Method::kPut;
    case http::verb::patch:
      return Method::kPatch;
    case http::verb::delete_:
      return Method::kDelete;
    case http::verb::options:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

bool IsPlainRequestId(std::string_view id) {
  constexpr std::size_t kLongest = 64;
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '-';
  };
  return !id.empty() && id.size() <= kLongest && std::all_of(id.begin(), id.end(), is_plain);
}

Refusal Malformed(std::string detail) {
  return {400, "malformed_request", std::move(detail), false};
}

Refusal BadFraming(std::string detail) {
  return {400, "bad_framing", std::move(detail), false};
}

Refusal HeaderTooLarge(const HttpLimits& limits) {
  return {431, "header_too_large",
          "The request's header is longer than " + std::to_string(limits.max_header_bytes) + " bytes: shorten it.",
          false};
}

Refusal BadChunking() {
  return BadFraming("The body is not chunked as HTTP/1.1 says: send Content-Length instead.");
}

Refusal BodyTooLarge(std::size_t limit) {
  return {413, "body_too_large", "The body is longer than " + std::to_string(limit) + " bytes: send it in parts.",
          false};
}

Refusal RefusalFor(const ErrorCode& error, const HttpLimits& limits, std::size_t max_body) {
  if (error == http::error::header_limit) return HeaderTooLarge(limits);
  if (error == http::error::body_limit) return BodyTooLarge(max_body);
  if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension) return BadChunking();
  if (error == http::error::bad_content_length || error == http::error::multiple_content_length ||
      error == http::error::bad_transfer_encoding) {
    return BadFraming("Send either one Content-Length or Transfer-Encoding: chunked, not both.");
  }
  return Malformed("The request is not HTTP/1.1: " + error.message() + ".");
}

// Splits "/path?query", or what follows the authority of "http://host/path?query". False where it is neither.
bool SplitTarget(std::string_view target, HttpRequest* request) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!SameHeaderName(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(std::min(target.find_first_of("/?", scheme.size()), target.size()));
    if (target.empty() || target.front() == '?') request->path = "/";
    break;
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  request->path.append(target.substr(0, question));
  request->query = target.substr(std::min(question + 1, target.size()));
  const bool is_asterisk = request->path == "*" && request->method == Method::kOptions;
  return (is_asterisk || request->path.starts_with('/')) && target.find('#') == target.npos;
}

}  // namespace

struct RequestParser::State {
  explicit State(const HttpLimits* limits_in) : limits(limits_in) {
    parser.header_limit(static_cast<std::uint32_t>(limits->max_header_bytes));
    parser.body_limit(boost::none);  // until the header says how much it may be
  }

  // Gives the parser what it takes; the number of bytes taken.
  std::size_t Parse(std::string_view input);
  void TakeHeader();
  std::optional<Refusal> CheckHeader() const;
  void LimitBody();
  void CheckWaiting(std::size_t waiting);
  void Finish();
  void Unpack();

  const HttpLimits* const limits;
  http::request_parser<http::string_body> parser;
  bool started = false;
  bool header_done = false;
  std::size_t header_bytes = 0;
  std::size_t max_body = 0;  // of this request, as sent
  HttpRequest request;
  std::optional<Refusal> refusal;
};

std::size_t RequestParser::State::Parse(std::string_view input) {
  std::size_t taken = 0;
  while (!refusal && !parser.is_done() && taken < input.size()) {
    ErrorCode error;
    const std::size_t count = parser.put(boost::asio::buffer(input.data() + taken, input.size() - taken), error);
    taken += count;
    if (!header_done) header_bytes += count;
    if (error == http::error::need_more) break;
    if (error) refusal = RefusalFor(error, *limits, max_body);
    if (!refusal && !header_done && parser.is_header_done()) TakeHeader();
  }
  return taken;
}

void RequestParser::State::TakeHeader() {
  header_done = true;
  parser.eager(true);  // the body, chunk by chunk, as far as the bytes go
  const auto& message = parser.get();
  request.method = MethodOf(message.method());
  // Copied before the body, so that trailers cannot pose as headers.
  for (const auto& field : message) request.headers.emplace_back(AsStd(field.name_string()), AsStd(field.value()));
  if (!SplitTarget(AsStd(message.target()), &request)) {
    refusal = Malformed("The request target must be a path that begins with '/'.");
    return;
  }
  refusal = CheckHeader();
  if (!refusal) LimitBody();
}

void RequestParser::State::LimitBody() {
  max_body = limits->max_body_bytes;
  if (limits->body_allowance) max_body = std::max(max_body, limits->body_allowance(request));
  parser.body_limit(max_body);
  if (parser.content_length().value_or(0) > max_body) refusal = BodyTooLarge(max_body);
}

std::optional<Refusal> RequestParser::State::CheckHeader() const {
  if (header_bytes > limits->max_header_bytes) return HeaderTooLarge(*limits);
  const bool is_http11 = parser.get().version() == 11;
  const std::vector<std::string_view> hosts = request.AllHeaders("Host");
  if (hosts.size() > 1 || (is_http11 && hosts.empty())) return Malformed("Send exactly one Host header.");
  const std::vector<std::string_view> codings = request.AllHeaders("Transfer-Encoding");
  const std::vector<std::string_view> lengths = request.AllHeaders("Content-Length");
  // Beast takes any coding that ends in "chunked" and skips those that do not: the body's end would be a guess.
  const bool is_chunked = codings.size() == 1 && SameHeaderName(codings.front(), "chunked") && is_http11;
  if (!codings.empty() && !is_chunked) return BadFraming("Transfer-Encoding must be \"chunked\" alone, in HTTP/1.1.");
  if (lengths.size() + codings.size() > 1) {
    return BadFraming("Send either one Content-Length or Transfer-Encoding: chunked, not both.");
  }
  const std::string_view expect = request.Header("Expect");
  if (!expect.empty() && !SameHeaderName(expect, "100-continue")) {
    return Refusal{417, "unknown_expectation", "Expect can only be \"100-continue\": leave it out.", false};
  }
  return std::nullopt;
}

// What the parser cannot take yet (a line without an end) must not grow without bound.
void RequestParser::State::CheckWaiting(std::size_t waiting) {
  if (!header_done && header_bytes + waiting > limits->max_header_bytes) refusal = HeaderTooLarge(*limits);
  if (header_done && waiting > limits->max_header_bytes) refusal = BadChunking();
}

void RequestParser::State::Finish() {
  request.body = std::move(parser.get().body());
  Unpack();
}

void RequestParser::State::Unpack() {
  const std::vector<std::string_view> encodings = request.AllHeaders("Content-Encoding");
  if (encodings.empty() || (encodings.size() == 1 && SameHeaderName(encodings.front(), "identity"))) return;
  // A refusal has a body, which is out of step with what a client expects after HEAD.
  const bool can_go_on = request.method != Method::kHead;
  if (encodings.size() > 1 || !SameHeaderName(encodings.front(), "gzip")) {
    refusal =
        Refusal{415, "unsupported_encoding", "Content-Encoding can be \"gzip\" or absent: pack the body so.", true};
    return;
  }
  Result<std::string> unpacked = Gunzip(request.body, std::max(limits->max_unpacked_bytes, max_body));
  if (unpacked) {
    request.body = std::move(*unpacked);
    return;
  }
  const int status = unpacked.error().failure == Failure::kTooLarge ? 413 : 400;
  refusal = Refusal{status, std::move(unpacked.error().code), std::move(unpacked.error().detail), can_go_on};
}

RequestParser::RequestParser(const HttpLimits* limits) : state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;

RequestParser::Progress RequestParser::Feed(std::string* input) {
  // Empty lines before a request are skipped (RFC 9112, section 2.2).
  if (!state_->started) input->erase(0, std::min(input->find_first_not_of("\r\n"), input->size()));
  state_->started = state_->started || !input->empty();
  input->erase(0, state_->Parse(*input));
  if (!state_->refusal && state_->parser.is_done()) state_->Finish();
  if (!state_->refusal && !state_->parser.is_done()) state_->CheckWaiting(input->size());
  if (state_->refusal) return Progress::kRefused;
  if (state_->parser.is_done()) return Progress::kDone;
  return state_->header_done ? Progress::kNeedBody : Progress::kNeedHeader;
}

bool RequestParser::wants_continue() const {
  return state_->header_done && state_->parser.get().version() == 11 && !state_->request.Header("Expect").empty();
}

std::size_t RequestParser::body_bytes() const {
  if (state_->parser.is_done()) return state_->request.body.size();
  if (!state_->header_done) return 0;
  return std::max<std::size_t>(state_->parser.content_length().value_or(0), state_->parser.get().body().size());
}

bool RequestParser::keep_alive() const {
  return state_->parser.get().version() == 11 && state_->parser.keep_alive();
}

std::string_view RequestParser::request_id() const {
  const std::string_view id = AsStd(state_->parser.get()["X-Request-Id"]);
  return IsPlainRequestId(id) ? id : std::string_view();
}

HttpRequest RequestParser::Take() {
  return std::move(state_->request);
}

const Refusal& RequestParser::refusal() const {
  return *state_->refusal;
}

}  // namespace novafeed
