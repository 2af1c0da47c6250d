#include "api/bodies.h"

#include <boost/json/value.hpp>
#include <utility>

#include "api/parameters.h"
#include "base/json.h"

namespace novafeed {

Result<NewUser> ReadNewUser(const RequestContext& context) {
  const Status allowed = RequirePlatform(context.caller(), "Creating a user");
  if (!allowed) return tl::unexpected(allowed.error());
  const Result<boost::json::value> body = JsonBody(context.request());
  if (!body) return tl::unexpected(body.error());

  JsonFields fields(*body);
  Result<std::optional<ParsedId>> id = OptionalId(&fields, IdKind::kUser, "id");
  if (!id) return tl::unexpected(id.error());
  Result<std::string> handle = fields.RequireString("handle");
  if (!handle) return tl::unexpected(handle.error());
  Result<std::string> name = fields.RequireString("name");
  if (!name) return tl::unexpected(name.error());
  const Status others = fields.RefuseOthers();
  if (!others) return tl::unexpected(others.error());
  return NewUser{*std::move(id), *std::move(handle), *std::move(name)};
}

Result<NewText> ReadNewText(const RequestContext& context, IdKind kind) {
  const Result<boost::json::value> body = JsonBody(context.request());
  if (!body) return tl::unexpected(body.error());

  JsonFields fields(*body);
  Result<std::optional<ParsedId>> id = OptionalId(&fields, kind, "id");
  if (!id) return tl::unexpected(id.error());
  if (*id && !SpeaksForPlatform(context.caller())) {
    return Fail(Failure::kForbidden, "id_not_allowed", "Only service and admin tokens choose ids: leave \"id\" away.");
  }
  Result<std::string> text = fields.RequireString("text");
  if (!text) return tl::unexpected(text.error());
  const Status others = fields.RefuseOthers();
  if (!others) return tl::unexpected(others.error());
  return NewText{*std::move(id), *std::move(text)};
}

Result<std::string> ReadText(const RequestContext& context) {
  const Result<boost::json::value> body = JsonBody(context.request());
  if (!body) return tl::unexpected(body.error());

  JsonFields fields(*body);
  Result<std::string> text = fields.RequireString("text");
  if (!text) return text;
  const Status others = fields.RefuseOthers();
  if (!others) return tl::unexpected(others.error());
  return text;
}

}  // namespace novafeed
