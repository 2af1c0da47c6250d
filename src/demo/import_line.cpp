#include "demo/import_line.h"

#include <string_view>

#include "base/json.h"

namespace novafeed {
namespace {

// Writes the fields that an action has beyond its type and time.
class FieldWriter {
 public:
  explicit FieldWriter(JsonWriter* json) : json_(json) {}

  void operator()(const UserLine& line) {
    Id("id", line.id);
    if (line.handle) Text("handle", *line.handle);
    if (line.name) Text("name", *line.name);
  }
  void operator()(const PostLine& line) {
    Id("id", line.id);
    Id("author", line.author);
    Text("text", line.text);
  }
  void operator()(const EditPostLine& line) {
    Id("post", line.post);
    Text("text", line.text);
  }
  void operator()(const DeletePostLine& line) { Id("post", line.post); }
  void operator()(const FollowLine& line) {
    Id("user", line.user);
    Id("target", line.target);
  }
  void operator()(const LikeLine& line) {
    Id("user", line.user);
    Id("post", line.post);
  }
  void operator()(const CommentLine& line) {
    Id("id", line.id);
    Id("user", line.user);
    Id("post", line.post);
    Text("text", line.text);
  }
  void operator()(const DeleteCommentLine& line) { Id("id", line.id); }
  void operator()(const EventLine& line) {
    if (line.id) Id("id", *line.id);
    Id("user", line.user);
    Id("post", line.post);
  }

 private:
  void Id(std::string_view name, const ParsedId& id) { Text(name, id.external_id.value_or(id.id.ToString())); }
  // An empty text is one that the line does not have.
  void Text(std::string_view name, std::string_view text) {
    if (!text.empty()) json_->Key(name).String(text);
  }

  JsonWriter* json_;
};

}  // namespace

std::string FormatImportLine(const ImportAction& action) {
  std::string line;
  JsonWriter json(&line);
  json.BeginObject().Key("type").String(ActionTypeName(TypeOf(action))).Key("at").Int(action.at);
  std::visit(FieldWriter(&json), action.body);
  json.EndObject();
  return line;
}

}  // namespace novafeed
