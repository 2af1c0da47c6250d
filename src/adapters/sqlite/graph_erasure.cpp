#include "adapters/sqlite/graph_erasure.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/sqlite/row_codec.h"
#include "graph/retired.h"

namespace novafeed::sqlite {
namespace {

constexpr std::int64_t kScanned = 20'000;  // rows of one read
constexpr std::size_t kWritten = 500;      // rows of one transaction

constexpr auto kUserKind = static_cast<std::int64_t>(RetiredKind::kUser);

constexpr char kFindPosts[] =
    "SELECT row, author FROM posts WHERE row > ?1 AND deleted_at IS NOT NULL ORDER BY row LIMIT ?2";
constexpr char kFindComments[] = "SELECT row, post_author FROM comments WHERE row > ?1 ORDER BY row LIMIT ?2";
constexpr char kFindLikes[] =
    "SELECT user, post, post_author FROM likes WHERE (user, post) > (?1, ?2) ORDER BY user, post LIMIT ?3";
constexpr char kFindChanges[] =
    "SELECT sequence, kind, before, after FROM changes WHERE sequence > ?1 AND sequence <= ?2 "
    "ORDER BY sequence LIMIT ?3";

// Calls write(item) for all items, some hundred in each work of the writer.
template <class Item, class F>
void WriteAll(GroupWriter* writer, std::span<const Item> items, const F& write) {
  while (!items.empty()) {
    const std::span<const Item> part = items.first(std::min(items.size(), kWritten));
    writer->RunBlocking([&](Sequence&) {
      for (const Item& item : part) {
        write(item);
      }
    });
    items = items.subspan(part.size());
  }
}

struct NamedRow {
  std::int64_t row = 0;
  UserId user;
  UserId pseudonym;
};

struct NamedLike {
  UserId user;
  PostId post;
  UserId author;
  UserId pseudonym;
};

struct HiddenChange {
  std::int64_t sequence = 0;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

std::string Encode(const Row& row) {
  std::string bytes;
  std::visit([&bytes](const auto& fields) { EncodeRow(fields, &bytes); }, row);
  return bytes;
}

// An image of the change log with pseudonyms in it; `hidden` is set where it named somebody.
std::optional<std::string> HideInImage(const Rows& rows, int column, const Pseudonyms& pseudonyms, bool* hidden) {
  if (rows.IsNull(column)) {
    return std::nullopt;
  }
  const std::string_view bytes = rows.Bytes(column);
  Result<Row> row = DecodeRow(static_cast<RowKind>(rows.Int(1)), bytes);
  if (!row) {
    throw StoreError(row.error());
  }
  if (!pseudonyms.Hide(&*row)) {
    return std::string(bytes);
  }
  *hidden = true;
  return Encode(*row);
}

std::optional<Blob> AsBlob(const std::optional<std::string>& bytes) {
  return bytes ? std::optional(Blob{*bytes}) : std::nullopt;
}

}  // namespace

GraphErasure::GraphErasure(Database* database, GroupWriter* writer)
    : database_(database),
      writer_(writer),
      hide_post_(*database, "hiding an author",
                 "UPDATE posts SET author = ?3, external_id = NULL WHERE row = ?1 AND author = ?2"),
      hide_comment_(*database, "hiding the author of a post",
                    "UPDATE comments SET post_author = ?3 WHERE row = ?1 AND post_author = ?2"),
      hide_like_(*database, "hiding the author of a post",
                 "UPDATE likes SET post_author = ?4 WHERE user = ?1 AND post = ?2 AND post_author = ?3"),
      hide_change_(*database, "hiding a user in the change log",
                   "UPDATE changes SET before = ?2, after = ?3 WHERE sequence = ?1"),
      drop_outbox_(*database, "clearing the outbox of a user", "DELETE FROM outbox WHERE user = ?1"),
      hide_outbox_(*database, "hiding an author in the outbox",
                   "UPDATE outbox SET post_author = ?2 WHERE post_author = ?1"),
      drop_facts_(*database, "forgetting facts of a user", "DELETE FROM facts WHERE instr(key, ?1) > 0"),
      close_(*database, "closing an erasure", "DELETE FROM erasures WHERE user = ?1"),
      retire_(*database, "retiring an id",
              "INSERT INTO retired_ids (kind, digest) VALUES (?, ?) ON CONFLICT DO NOTHING") {}

void GraphErasure::HideInRows(std::span<const Erasure> erased) {
  const Pseudonyms pseudonyms(erased);
  Database reader(database_->path(), Access::kRead);
  // Posts first: what names their authors from then on takes the name from them.
  HideInTable(reader, pseudonyms, kFindPosts, hide_post_);
  HideInTable(reader, pseudonyms, kFindComments, hide_comment_);
  HideInLikes(reader, pseudonyms);
  HideBeside(erased);
}

void GraphErasure::HideInTable(Database& reader, const Pseudonyms& pseudonyms, const char* find, Statement& hide) {
  Statement scan(reader, "looking for erased users", find);
  std::int64_t after = 0;
  for (std::int64_t found = kScanned; found == kScanned;) {
    std::vector<NamedRow> named;
    found = 0;
    for (Rows rows = scan.Query(after, kScanned); rows.Next(); ++found) {
      NamedRow row = {after = rows.Int(0), UserId{rows.Id(1)}, UserId{rows.Id(1)}};
      if (pseudonyms.Hide(&row.pseudonym)) {
        named.push_back(row);
      }
    }
    WriteAll(writer_, std::span<const NamedRow>(named),
             [&hide](const NamedRow& row) { hide.Execute(row.row, row.user, row.pseudonym); });
  }
}

void GraphErasure::HideInLikes(Database& reader, const Pseudonyms& pseudonyms) {
  Statement scan(reader, "looking for erased users", kFindLikes);
  std::string after_user;  // no id is less than this
  std::string after_post;
  for (std::int64_t found = kScanned; found == kScanned;) {
    std::vector<NamedLike> named;
    found = 0;
    for (Rows rows = scan.Query(Blob{after_user}, Blob{after_post}, kScanned); rows.Next(); ++found) {
      after_user = rows.Bytes(0);
      after_post = rows.Bytes(1);
      NamedLike like = {UserId{rows.Id(0)}, PostId{rows.Id(1)}, UserId{rows.Id(2)}, UserId{rows.Id(2)}};
      if (pseudonyms.Hide(&like.pseudonym)) {
        named.push_back(like);
      }
    }
    WriteAll(writer_, std::span<const NamedLike>(named),
             [this](const NamedLike& like) { hide_like_.Execute(like.user, like.post, like.author, like.pseudonym); });
  }
}

void GraphErasure::HideBeside(std::span<const Erasure> erased) {
  WriteAll(writer_, erased, [this](const Erasure& erasure) {
    drop_outbox_.Execute(erasure.user);
    hide_outbox_.Execute(erasure.user, erasure.pseudonym);
    drop_facts_.Execute(erasure.user.ToString());
  });
}

void GraphErasure::HideInChanges(std::span<const Erasure> erased, std::int64_t through) {
  const Pseudonyms pseudonyms(erased);
  Database reader(database_->path(), Access::kRead);
  Statement scan(reader, "looking for erased users in the change log", kFindChanges);
  std::int64_t after = 0;
  for (std::int64_t found = kScanned; found == kScanned;) {
    std::vector<HiddenChange> hidden_changes;
    found = 0;
    for (Rows rows = scan.Query(after, through, kScanned); rows.Next(); ++found) {
      after = rows.Int(0);
      bool hidden = false;
      HiddenChange change = {after, HideInImage(rows, 2, pseudonyms, &hidden),
                             HideInImage(rows, 3, pseudonyms, &hidden)};
      if (hidden) {
        hidden_changes.push_back(std::move(change));
      }
    }
    WriteAll(writer_, std::span<const HiddenChange>(hidden_changes), [this](const HiddenChange& change) {
      hide_change_.Execute(change.sequence, AsBlob(change.before), AsBlob(change.after));
    });
  }
}

void GraphErasure::Close(std::span<const Erasure> erased) {
  WriteAll(writer_, erased, [this](const Erasure& erasure) { close_.Execute(erasure.user); });
}

std::vector<Uuid> GraphErasure::RetiredUsers() {
  Database reader(database_->path(), Access::kRead);
  Statement read(reader, "reading the erased users", "SELECT digest FROM retired_ids WHERE kind = ?");
  std::vector<Uuid> digests;
  for (Rows rows = read.Query(kUserKind); rows.Next();) {
    digests.push_back(rows.Id(0));
  }
  return digests;
}

std::vector<UserId> GraphErasure::FindUsers(std::span<const Uuid> digests) {
  const std::unordered_set<Uuid, UuidHash> wanted(digests.begin(), digests.end());
  Database reader(database_->path(), Access::kRead);
  Statement read(reader, "looking for erased users", "SELECT id FROM users");
  std::vector<UserId> users;
  for (Rows rows = read.Query(); rows.Next();) {
    const UserId user{rows.Id(0)};
    if (wanted.contains(RetiredDigest(RetiredKind::kUser, user.value))) {
      users.push_back(user);
    }
  }
  return users;
}

void GraphErasure::RetireUsers(std::span<const Uuid> digests) {
  WriteAll(writer_, digests, [this](const Uuid& digest) { retire_.Execute(kUserKind, digest); });
}

}  // namespace novafeed::sqlite
