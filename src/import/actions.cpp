#include "import/actions.h"

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/json.h"
#include "social/validation.h"

namespace novafeed {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, kActionTypes> kTypeNames = {
    "user",   "post",    "edit_post",      "delete_post", "follow", "unfollow", "like",
    "unlike", "comment", "delete_comment", "impression",  "view",   "share",    "invalid"};

// "user, post, ... or share"
std::string AllTypeNames() {
  constexpr auto kLast = static_cast<std::size_t>(ActionType::kInvalid) - 1;
  std::string names(kTypeNames[0]);
  for (std::size_t type = 1; type < kLast; ++type) names.append(", ").append(kTypeNames[type]);
  return names.append(" or ").append(kTypeNames[kLast]);
}

std::optional<ActionType> ParseActionType(std::string_view name) {
  const auto end = kTypeNames.begin() + static_cast<std::size_t>(ActionType::kInvalid);
  const auto found = std::find(kTypeNames.begin(), end, name);
  if (found == end) return std::nullopt;
  return static_cast<ActionType>(found - kTypeNames.begin());
}

// Reads the fields of one line. The first thing wrong is remembered, and what is read after it means nothing: so an
// action is read straight through, and asked once at the end whether it is good.
class LineFields {
 public:
  explicit LineFields(const json::object& object) : object_(object) {}

  std::string_view Type() {
    const json::value* field = Require("type");
    if (field == nullptr) return {};
    if (!field->is_string()) return Wrong("wrong_type", "type", "must be a string");
    return field->get_string();
  }

  ParsedId Id(std::string_view name, IdKind kind) {
    const json::value* field = Require(name);
    return field == nullptr ? ParsedId{} : ToId(*field, name, kind);
  }

  std::optional<ParsedId> OptionalId(std::string_view name, IdKind kind) {
    const json::value* field = Find(name);
    if (field == nullptr) return std::nullopt;
    return ToId(*field, name, kind);
  }

  TimeMs At() {
    const json::value* field = Require("at");
    if (field == nullptr) return 0;
    const std::optional<TimeMs> at = ToTime(*field);
    if (!at) Wrong("bad_time", "at", "must be RFC 3339 or integer milliseconds, from 1970 to 2100");
    return at.value_or(0);
  }

  std::optional<std::string> OptionalString(std::string_view name, Status (*validate)(std::string_view)) {
    const json::value* field = Find(name);
    if (field == nullptr) return std::nullopt;
    if (!field->is_string()) {
      Wrong("wrong_type", name, "must be a string");
      return std::nullopt;
    }
    const std::string_view text = field->get_string();
    Check(validate(text));
    return std::string(text);
  }

  std::string RequireString(std::string_view name, Status (*validate)(std::string_view)) {
    Require(name);
    return OptionalString(name, validate).value_or("");
  }

  void Check(Status status) {
    if (!status && !error_) error_ = std::move(status.error());
  }

  const std::optional<Error>& error() const { return error_; }
  bool has_ext_id() const { return has_ext_id_; }

  std::vector<std::string> Others() const {
    std::vector<std::string> others;
    if (object_.size() == found_count_) return others;
    const auto end = found_.begin() + static_cast<std::ptrdiff_t>(found_count_);
    for (const json::key_value_pair& field : object_) {
      if (std::find(found_.begin(), end, &field.value()) == end) others.emplace_back(field.key());
    }
    return others;
  }

 private:
  static constexpr std::size_t kMaxFields = 8;  // more than any action has

  // Null is the same as absent.
  const json::value* Find(std::string_view name) {
    const json::value* field = object_.if_contains(name);
    if (field == nullptr) return nullptr;
    const auto end = found_.begin() + static_cast<std::ptrdiff_t>(found_count_);
    if (std::find(found_.begin(), end, field) == end) found_.at(found_count_++) = field;
    return field->is_null() ? nullptr : field;
  }

  const json::value* Require(std::string_view name) {
    const json::value* field = Find(name);
    if (field == nullptr) Wrong("missing_field", name, "is required: add it");
    return field;
  }

  ParsedId ToId(const json::value& field, std::string_view name, IdKind kind) {
    std::optional<ParsedId> id;
    if (field.is_string()) {
      id = ParseImportId(kind, field.get_string());
      has_ext_id_ = has_ext_id_ || field.get_string().starts_with("ext:");
    }
    if (field.is_int64()) id = ParseImportId(kind, std::to_string(field.get_int64()));
    if (field.is_uint64()) id = ParseImportId(kind, std::to_string(field.get_uint64()));
    if (!id) {
      Wrong("bad_id", name,
            "must be a UUID, another string of 1 to 128 bytes without U+0000, or an integer of 64 bits");
    }
    return std::move(id).value_or(ParsedId{});
  }

  static std::optional<TimeMs> ToTime(const json::value& field) {
    if (field.is_string()) return ParseRfc3339(field.get_string());
    if (field.is_int64() && field.get_int64() >= 0 && field.get_int64() < kMaxTime) return field.get_int64();
    return std::nullopt;
  }

  std::string_view Wrong(const char* code, std::string_view name, const char* what) {
    if (!error_) {
      error_ = Error{Failure::kUnprocessable, code, "The field \"" + std::string(name) + "\" " + what + "."};
    }
    return {};
  }

  const json::object& object_;
  std::array<const json::value*, kMaxFields> found_{};
  std::size_t found_count_ = 0;
  bool has_ext_id_ = false;
  std::optional<Error> error_;
};

FollowLine ReadFollow(LineFields& fields, bool undo) {
  FollowLine line{fields.Id("user", IdKind::kUser), fields.Id("target", IdKind::kUser), undo};
  if (line.user.id == line.target.id) {
    fields.Check(Fail(Failure::kUnprocessable, "self_follow", "Nobody follows themselves: leave the line out."));
  }
  return line;
}

LikeLine ReadLike(LineFields& fields, bool undo) {
  return {fields.Id("user", IdKind::kUser), fields.Id("post", IdKind::kPost), undo};
}

EventLine ReadEvent(LineFields& fields, EventType type) {
  return {type, fields.Id("user", IdKind::kUser), fields.Id("post", IdKind::kPost),
          fields.OptionalId("id", IdKind::kEvent)};
}

ImportActionBody ReadBody(ActionType type, LineFields& fields) {
  switch (type) {
    case ActionType::kUser:
      return UserLine{fields.Id("id", IdKind::kUser), fields.OptionalString("handle", ValidateHandle),
                      fields.OptionalString("name", ValidateName)};
    case ActionType::kPost:
      return PostLine{fields.Id("id", IdKind::kPost), fields.Id("author", IdKind::kUser),
                      fields.OptionalString("text", ValidateOptionalText).value_or("")};
    case ActionType::kEditPost:
      return EditPostLine{fields.Id("post", IdKind::kPost), fields.RequireString("text", ValidateText)};
    case ActionType::kDeletePost:
      return DeletePostLine{fields.Id("post", IdKind::kPost)};
    case ActionType::kFollow:
    case ActionType::kUnfollow:
      return ReadFollow(fields, type == ActionType::kUnfollow);
    case ActionType::kLike:
    case ActionType::kUnlike:
      return ReadLike(fields, type == ActionType::kUnlike);
    case ActionType::kComment:
      return CommentLine{fields.Id("id", IdKind::kComment), fields.Id("user", IdKind::kUser),
                         fields.Id("post", IdKind::kPost),
                         fields.OptionalString("text", ValidateOptionalText).value_or("")};
    case ActionType::kDeleteComment:
      return DeleteCommentLine{fields.Id("id", IdKind::kComment)};
    case ActionType::kImpression:
      return ReadEvent(fields, EventType::kImpression);
    case ActionType::kView:
      return ReadEvent(fields, EventType::kView);
    case ActionType::kShare:
      return ReadEvent(fields, EventType::kShare);
    case ActionType::kInvalid:
      break;
  }
  throw std::logic_error("no such action");
}

Result<ImportAction> ReadAction(const json::object& object) {
  LineFields fields(object);
  const std::string_view type_name = fields.Type();
  if (fields.error()) return tl::unexpected<Error>(*fields.error());
  const std::optional<ActionType> type = ParseActionType(type_name);
  if (!type) {
    return Fail(
        Failure::kUnprocessable, "unknown_type",
        "There is no type \"" + std::string(type_name.substr(0, 64)) + "\": it must be " + AllTypeNames() + ".");
  }
  ImportAction action;
  action.at = fields.At();
  action.body = ReadBody(*type, fields);
  if (fields.error()) return tl::unexpected<Error>(*fields.error());
  action.ignored_fields = fields.Others();
  action.has_ext_id = fields.has_ext_id();
  return action;
}

struct TypeOfBody {
  ActionType operator()(const UserLine&) const { return ActionType::kUser; }
  ActionType operator()(const PostLine&) const { return ActionType::kPost; }
  ActionType operator()(const EditPostLine&) const { return ActionType::kEditPost; }
  ActionType operator()(const DeletePostLine&) const { return ActionType::kDeletePost; }
  ActionType operator()(const FollowLine& line) const {
    return line.undo ? ActionType::kUnfollow : ActionType::kFollow;
  }
  ActionType operator()(const LikeLine& line) const { return line.undo ? ActionType::kUnlike : ActionType::kLike; }
  ActionType operator()(const CommentLine&) const { return ActionType::kComment; }
  ActionType operator()(const DeleteCommentLine&) const { return ActionType::kDeleteComment; }
  ActionType operator()(const EventLine& line) const {
    if (line.type == EventType::kShare) return ActionType::kShare;
    return line.type == EventType::kView ? ActionType::kView : ActionType::kImpression;
  }
};

}  // namespace

std::string_view ActionTypeName(ActionType type) {
  return kTypeNames.at(static_cast<std::size_t>(type));
}

ActionType TypeOf(const ImportAction& action) {
  return std::visit(TypeOfBody{}, action.body);
}

Result<ImportAction> ParseImportLine(std::string_view line) {
  const Result<json::value> value = ParseJson(line);
  if (!value) return tl::unexpected<Error>(value.error());
  if (!value->is_object()) {
    return Fail(Failure::kUnprocessable, "wrong_type", "The line must be a JSON object with a field \"type\".");
  }
  return ReadAction(value->get_object());
}

}  // namespace novafeed
