#include "base/json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace novafeed {
namespace {

namespace json = boost::json;

// DEL is escaped though JSON need not: it is no text, and TOML (base/settings.cpp) must.
void AppendEscaped(std::string_view text, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) continue;
    out->append(text, plain, i - plain);
    plain = i + 1;
    switch (byte) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        out->append("\\u00");
        out->push_back(kDigits[byte >> 4]);
        out->push_back(kDigits[byte & 15]);
    }
  }
  out->append(text, plain, text.size() - plain);
}

template <class Number>
void AppendNumber(Number number, std::string* out) {
  char text[32];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, number);
  out->append(text, end.ptr);
}

std::string Quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

tl::unexpected<Error> WrongType(std::string_view name, const char* wanted) {
  return Fail(Failure::kUnprocessable, "wrong_type", "The field " + Quoted(name) + " must be " + wanted + ".");
}

tl::unexpected<Error> NoObject() {
  return Fail(Failure::kUnprocessable, "wrong_type", "The body must be a JSON object.");
}

tl::unexpected<Error> MissingField(std::string_view name) {
  return Fail(Failure::kUnprocessable, "missing_field", "The field " + Quoted(name) + " is required: add it.");
}

template <class T>
Result<T> Required(Result<std::optional<T>> field, std::string_view name) {
  if (!field) return tl::unexpected<Error>(std::move(field.error()));
  if (!*field) return MissingField(name);
  return std::move(**field);
}

}  // namespace

void JsonWriter::Separate() {
  if (need_comma_) out_->push_back(',');
  need_comma_ = true;
}

JsonWriter& JsonWriter::BeginObject() {
  Separate();
  out_->push_back('{');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::EndObject() {
  out_->push_back('}');
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::BeginArray() {
  Separate();
  out_->push_back('[');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  out_->push_back(']');
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  String(name);
  out_->push_back(':');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  out_->push_back('"');
  AppendEscaped(text, out_);
  out_->push_back('"');
  return *this;
}

JsonWriter& JsonWriter::Int(std::int64_t number) {
  Separate();
  AppendNumber(number, out_);
  return *this;
}

JsonWriter& JsonWriter::Double(double number) {
  if (!std::isfinite(number)) return Null();
  Separate();
  AppendNumber(number, out_);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  return Raw(value ? "true" : "false");
}

JsonWriter& JsonWriter::Null() {
  return Raw("null");
}

JsonWriter& JsonWriter::Raw(std::string_view json_text) {
  Separate();
  out_->append(json_text);
  return *this;
}

Result<json::value> ParseJson(std::string_view text, JsonLimits limits) {
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::parser parser({}, options);
  boost::system::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (error) {
    return Fail(Failure::kInvalid, "malformed_json",
                "The JSON is malformed at byte " + std::to_string(read) + ": " + error.message() + ".");
  }
  return parser.release();
}

JsonFields::JsonFields(const json::value& object) : object_(object.if_object()) {}

const json::value* JsonFields::Find(std::string_view name) {
  if (std::find(seen_.begin(), seen_.begin() + seen_count_, name) == seen_.begin() + seen_count_) {
    if (seen_count_ == seen_.size()) throw std::logic_error("JsonFields reads at most 24 fields");
    seen_[seen_count_++] = name;
  }
  return object_ == nullptr ? nullptr : object_->if_contains(name);
}

Result<std::optional<std::string>> JsonFields::OptionalString(std::string_view name) {
  if (object_ == nullptr) return NoObject();
  const json::value* field = Find(name);
  if (field == nullptr || field->is_null()) return std::nullopt;
  if (!field->is_string()) return WrongType(name, "a string");
  return std::string(field->get_string());
}

Result<std::optional<std::int64_t>> JsonFields::OptionalInt(std::string_view name) {
  if (object_ == nullptr) return NoObject();
  const json::value* field = Find(name);
  if (field == nullptr || field->is_null()) return std::nullopt;
  if (!field->is_int64()) return WrongType(name, "an integer");
  return field->get_int64();
}

Result<std::string> JsonFields::RequireString(std::string_view name) {
  return Required(OptionalString(name), name);
}

Result<std::int64_t> JsonFields::RequireInt(std::string_view name) {
  return Required(OptionalInt(name), name);
}

Status JsonFields::RefuseOthers() const {
  if (object_ == nullptr) return NoObject();
  const auto seen_end = seen_.begin() + seen_count_;
  for (const json::key_value_pair& field : *object_) {
    if (std::find(seen_.begin(), seen_end, std::string_view(field.key())) != seen_end) continue;
    return Fail(Failure::kUnprocessable, "unknown_field",
                "The field " + Quoted(field.key()) + " is not known here: remove it.");
  }
  return {};
}

}  // namespace novafeed
