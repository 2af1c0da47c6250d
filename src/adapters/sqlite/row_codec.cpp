#include "adapters/sqlite/row_codec.h"

#include "social/byte_codec.h"

namespace novafeed::sqlite {
namespace {

constexpr char kVersion = 1;

// The one list of fields, for both directions.
template <class Coder, class RowType>
void CodeUser(Coder& coder, RowType& row) {
  coder.Code(row.id, row.external_id, row.handle, row.name, row.created_at);
}
template <class Coder, class RowType>
void CodePost(Coder& coder, RowType& row) {
  coder.Code(row.id, row.external_id, row.author, row.text, row.created_at, row.deleted_at);
}
template <class Coder, class RowType>
void CodeComment(Coder& coder, RowType& row) {
  coder.Code(row.id, row.external_id, row.post, row.user, row.post_author, row.post_created_at, row.text,
             row.created_at, row.incarnation);
}
template <class Coder, class RowType>
void CodeLike(Coder& coder, RowType& row) {
  coder.Code(row.user, row.post, row.post_author, row.post_created_at, row.created_at, row.incarnation);
}
template <class Coder, class RowType>
void CodeFollow(Coder& coder, RowType& row) {
  coder.Code(row.follower, row.followee, row.created_at, row.incarnation);
}

template <class RowType, class Fields>
Result<Row> Decode(std::string_view bytes, Fields code_fields) {
  ByteReader reader(kVersion, bytes);
  RowType row;
  code_fields(reader, row);
  if (!reader.ReadAll()) {
    return Fail(Failure::kInternal, "bad_row",
                "A row of the change log does not have the form that this version writes: restore graph.db from a "
                "backup, or start the newer version that wrote it.");
  }
  return Row(std::move(row));
}

}  // namespace

void EncodeRow(const User& row, std::string* bytes) {
  ByteWriter writer(kVersion, bytes);
  CodeUser(writer, row);
}
void EncodeRow(const Post& row, std::string* bytes) {
  ByteWriter writer(kVersion, bytes);
  CodePost(writer, row);
}
void EncodeRow(const Comment& row, std::string* bytes) {
  ByteWriter writer(kVersion, bytes);
  CodeComment(writer, row);
}
void EncodeRow(const Like& row, std::string* bytes) {
  ByteWriter writer(kVersion, bytes);
  CodeLike(writer, row);
}
void EncodeRow(const Follow& row, std::string* bytes) {
  ByteWriter writer(kVersion, bytes);
  CodeFollow(writer, row);
}

Result<Row> DecodeRow(RowKind kind, std::string_view bytes) {
  switch (kind) {
    case RowKind::kUser:
      return Decode<User>(bytes, CodeUser<ByteReader, User>);
    case RowKind::kPost:
      return Decode<Post>(bytes, CodePost<ByteReader, Post>);
    case RowKind::kComment:
      return Decode<Comment>(bytes, CodeComment<ByteReader, Comment>);
    case RowKind::kLike:
      return Decode<Like>(bytes, CodeLike<ByteReader, Like>);
    case RowKind::kFollow:
      return Decode<Follow>(bytes, CodeFollow<ByteReader, Follow>);
  }
  return Fail(Failure::kInternal, "bad_row", "A row of the change log is of a kind that this version does not know.");
}

}  // namespace novafeed::sqlite
