// JSON in and out. Reading goes through Boost.JSON with a depth limit and strict UTF-8; writing appends straight to a
// string, because a feed page is written thousands of times a second.
#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace novafeed {

// Appends one JSON document to a string, without blanks. The caller keeps the order of calls legal
// (Key inside objects only); commas are placed by the writer.
class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(out) {}

  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view name);
  JsonWriter& String(std::string_view text);  // escapes; text must be UTF-8
  JsonWriter& Int(std::int64_t number);
  JsonWriter& Double(double number);  // shortest text that reads back equal; a non-finite number becomes null
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  JsonWriter& Raw(std::string_view json);  // a complete value, already JSON

 private:
  void Separate();

  std::string* out_;
  bool need_comma_ = false;
};

struct JsonLimits {
  std::size_t max_depth = 16;
};

// Parses one whole document. Failure::kInvalid, code "malformed_json", says where it went wrong.
// Invalid UTF-8, nesting deeper than the limit, and anything after the document are malformed. Of equal keys the last
// wins.
Result<boost::json::value> ParseJson(std::string_view text, JsonLimits limits = {});

// Reads the fields of one object and remembers which were read.
// Errors are Failure::kUnprocessable with the field's name: "missing_field", "wrong_type", "unknown_field".
class JsonFields {
 public:
  // At most 24 different fields can be read (more: std::logic_error); their names must be literals.
  // `object` must outlive this. Not an object: every read fails with "wrong_type".
  explicit JsonFields(const boost::json::value& object);

  Result<std::string> RequireString(std::string_view name);
  Result<std::int64_t> RequireInt(std::string_view name);
  // Absent and null are both "not there".
  Result<std::optional<std::string>> OptionalString(std::string_view name);
  Result<std::optional<std::int64_t>> OptionalInt(std::string_view name);
  // Marks the field as read; nullptr where absent.
  const boost::json::value* Find(std::string_view name);

  // Fails with "unknown_field" naming the first field that nothing has read.
  Status RefuseOthers() const;

 private:
  const boost::json::object* object_;
  std::size_t seen_count_ = 0;
  std::array<std::string_view, 24> seen_;
};

}  // namespace novafeed
