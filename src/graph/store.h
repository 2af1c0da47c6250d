// The truth of the social graph (OLTP): the port that SQLite and PostgreSQL implement.
//
// Rules live in graph/commands.h, as functions over GraphTransaction; a store only knows rows. Every primitive that
// changes a row also records the change for capture, in the same transaction. graph/store_contract.h holds the tests
// that every adapter passes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "social/entities.h"

namespace novafeed {

// The store itself failed (disk full, I/O, corruption). Carries the Error that callers are told.
class StoreError : public std::runtime_error {
 public:
  explicit StoreError(Error error) : std::runtime_error(error.detail), error_(std::move(error)) {}
  // what() says `cause`, for the log and whoever starts the program: it may name what clients need not know.
  StoreError(Error error, const std::string& cause) : std::runtime_error(cause), error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

// What an id that is no longer there once named.
enum class RetiredKind : std::uint8_t { kUser = 1, kPost = 2, kComment = 3 };

// A user who was erased, from the moment of it until the purge (erasure/purge.h): the one place that still knows the
// id.
struct Erasure {
  UserId user;
  UserId pseudonym;  // random; stands for the user wherever something of theirs stays
  TimeMs erased_at = 0;
  bool removed = false;  // their posts, comments, likes and follows are gone
  friend bool operator==(const Erasure&, const Erasure&) = default;
};

// A suggested user whom somebody does not want to see again. No row of the change log: only serving reads it.
struct Dismissal {
  UserId user;
  UserId dismissed;
  TimeMs created_at = 0;
  friend bool operator==(const Dismissal&, const Dismissal&) = default;
};

// How long after its time the identity of a like or unlike event is kept: an event is accepted until 24 h after its
// time, so one that is forgotten cannot come again.
inline constexpr TimeMs kEventMemory = 2 * kMsPerDay;

// One open write transaction. Used on the writer thread that runs the work, inside GraphStore::Write. Throws
// StoreError.
class GraphTransaction {
 public:
  virtual ~GraphTransaction() = default;

  virtual TimeMs Now() const = 0;  // the instant of this transaction

  virtual std::optional<User> FindUser(UserId id) = 0;
  virtual std::optional<User> FindUserByHandle(std::string_view handle) = 0;
  virtual void InsertUser(const User& user) = 0;
  virtual void UpdateUser(const User& before, const User& after) = 0;
  virtual void DeleteUser(const User& user) = 0;

  virtual std::optional<Post> FindPost(PostId id) = 0;  // also deleted ones
  virtual void InsertPost(const Post& post) = 0;
  virtual void UpdatePost(const Post& before, const Post& after) = 0;  // text, deleted_at
  virtual std::vector<Post> LivePostsOf(UserId author, std::size_t limit) = 0;

  virtual std::optional<Comment> FindComment(CommentId id) = 0;
  virtual Comment InsertComment(Comment comment) = 0;  // returns it with its incarnation
  virtual void DeleteComment(const Comment& comment) = 0;
  virtual std::vector<Comment> CommentsOf(UserId user, std::size_t limit) = 0;

  virtual std::optional<Like> FindLike(UserId user, PostId post) = 0;
  virtual Like InsertLike(Like like) = 0;
  virtual void DeleteLike(const Like& like) = 0;
  virtual std::vector<Like> LikesOf(UserId user, std::size_t limit) = 0;

  virtual std::optional<Follow> FindFollow(UserId follower, UserId followee) = 0;
  virtual Follow InsertFollow(Follow follow) = 0;
  virtual void DeleteFollow(const Follow& follow) = 0;
  virtual std::vector<Follow> FollowsOf(UserId user, std::size_t limit) = 0;  // in both directions

  virtual void PutDismissal(const Dismissal& dismissal) = 0;  // nothing where that user has dismissed them already
  virtual void DeleteDismissal(const Dismissal& dismissal) = 0;
  virtual std::vector<Dismissal> DismissalsOf(UserId user, std::size_t limit) = 0;  // in both directions

  // Ids that are never accepted again. A store keeps their digests only (graph/retired.h).
  virtual bool IsRetired(RetiredKind kind, Uuid id) = 0;
  virtual void Retire(RetiredKind kind, Uuid id) = 0;

  virtual std::optional<Erasure> FindErasure(UserId user) = 0;
  virtual void PutErasure(const Erasure& erasure) = 0;  // in the place of that user's, where there is one

  // The identities of like/unlike events, kept for at least kEventMemory. Remembering is false where it was known.
  virtual bool KnowsEvent(const Event& event) = 0;
  virtual bool RememberEvent(const Event& event) = 0;
  // Puts a copy of the event into the outbox, which is moved into the event log after the commit.
  virtual void AddToOutbox(const Event& event) = 0;

  // Small durable facts (import progress, demo marker): a key-value table.
  virtual std::optional<std::string> GetFact(std::string_view key) = 0;
  virtual void SetFact(std::string_view key, std::string_view value) = 0;
};

struct OutboxEntry {
  std::int64_t sequence = 0;
  Event event;
};

// A place in a newest-first list: strictly after (created_at, id) in the order created_at descending, id ascending.
struct ListCursor {
  TimeMs created_at = 0;
  Uuid id;
};

// One page of a newest-first list; `next` is empty where no item follows. (Follow lists are ordered by the follow's
// time and the listed user's id.)
template <class T>
struct ListPage {
  std::vector<T> items;
  std::optional<ListCursor> next;
};

// Thread-safe. Writes do what they would do one after the other. A store that one process has to itself runs them in
// the order of the calls, on one writer thread, committed in groups. A store that several processes share runs them
// side by side: of those that are on their way at once none is before the other, so what must see another write is
// begun after its Done.
class GraphStore {
 public:
  using Work = std::function<void(GraphTransaction&)>;
  // Called exactly once: when the work's commit is durable (value: the sequence of the last change committed with or
  // before it, for Position; in a shared store a place in the database's log behind the commit), or when it is certain
  // that nothing of the work was kept. (Only kUnavailable "commit_unknown" is not certain, where a shared store was
  // lost in the middle of a commit: the same command again changes nothing if it was kept.) On a writer thread; on the
  // caller's, before Write returns, where the queue is full. Closing the store answers what is still queued, in one of
  // these ways.
  using Done = std::function<void(Result<std::int64_t>)>;

  virtual ~GraphStore() = default;

  // Queues `work`. It is run once, or again from the start where a shared store took it back because others were
  // faster: it leaves nothing outside of the transaction that a further run does not replace. Where it throws, nothing
  // of it is kept and `done` gets the StoreError's error (kInternal for any other exception); other works are not
  // touched. (A work takes itself back by a StoreError whose failure is none of kInternal, kUnavailable and
  // kStorageFull: those are reported as the store's.) What ran is known to be kept only by `done`: its group may fail.
  // A full queue answers at once with kUnavailable "overloaded".
  virtual void Write(Work work, Done done) = 0;

  // Reads (blocking; each sees the latest commit). Throw StoreError.
  virtual std::optional<User> GetUser(UserId id) = 0;
  virtual std::optional<Post> GetPost(PostId id) = 0;  // also deleted ones
  virtual std::optional<Comment> GetComment(CommentId id) = 0;
  // Handles and the prefix are compared bytewise; in that order.
  virtual std::vector<User> ListUsers(std::string_view handle_prefix, std::size_t limit) = 0;
  virtual ListPage<User> Followers(UserId user, std::size_t limit, std::optional<ListCursor> after) = 0;
  virtual ListPage<User> Following(UserId user, std::size_t limit, std::optional<ListCursor> after) = 0;
  // Without deleted ones.
  virtual ListPage<Post> PostsOf(UserId author, std::size_t limit, std::optional<ListCursor> after) = 0;
  virtual ListPage<Comment> CommentsOn(PostId post, std::size_t limit, std::optional<ListCursor> after) = 0;
  // Those of these posts that the user likes, without deleted ones; in no order, each once.
  virtual std::vector<PostId> LikedAmong(UserId user, std::span<const PostId> posts) = 0;
  virtual std::vector<UserId> DismissedBy(UserId user) = 0;  // in no order
  virtual bool IsRetired(RetiredKind kind, Uuid id) = 0;
  virtual std::optional<std::string> GetFact(std::string_view key) = 0;

  // The outbox, oldest first, and its clearing once the event log has the entries durably.
  virtual std::vector<OutboxEntry> ReadOutbox(std::size_t limit) = 0;
  virtual void ClearOutbox(std::int64_t up_to) = 0;  // blocking

  // Forgets identities of like and unlike events after kEventMemory, in small transactions; returns how many. Blocking;
  // throws StoreError.
  virtual std::int64_t ForgetOldEvents() = 0;

  // A hint: on, works of many thousand primitives come, one after the other (imports). A store that gains by it may
  // answer lists slowly until it is turned off, or opened again; what it answers stays right, and writes as durable.
  // Blocking, not on a writer thread; throws StoreError.
  virtual void SetBulkMode(bool on) = 0;

  // --- For the purge (erasure/purge.h). Blocking, in small transactions; may be repeated; throw StoreError.

  virtual std::vector<Erasure> ReadErasures() = 0;
  // Puts the pseudonyms into the rows that stay: the authors of deleted posts, and the likes and comments of others
  // that name them. Removes what is kept about these users beside the rows: facts whose key has the user's id in it,
  // and what waits in the outbox. A store that records changes itself records none: consumers learn it from the purge.
  virtual void HideInRows(std::span<const Erasure> erased) = 0;
  // Puts the pseudonyms into the recorded changes up to and with sequence `through`, without the users' texts, handles,
  // names and external ids. No consumer may read these changes again that has applied some of them. (Nothing, where
  // changes are captured outside of the store: logs forget by their retention.)
  virtual void HideInChanges(std::span<const Erasure> erased, std::int64_t through) = 0;
  // Forgets the erasures. From then on nobody knows whom the pseudonyms stand for.
  virtual void CloseErasures(std::span<const Erasure> erased) = 0;
  // What was deleted and overwritten leaves the files, byte for byte (as far as a shared database does that while it is
  // used). Returns how many pages held something of it, where that is known.
  // kUnavailable "database_busy" where readers hold it up for long: to be tried again.
  virtual std::int64_t Scrub() = 0;

  // --- For backups that were put back: users by their RetiredDigest (graph/retired.h). Blocking; throw StoreError.

  virtual std::vector<Uuid> RetiredUsers() = 0;  // whom the store knows as erased; in no order, each once
  // Which of its users these are; in no order, each once. Reads the ids of all users.
  virtual std::vector<UserId> FindUsers(std::span<const Uuid> digests) = 0;
  // From now on none of these ids is accepted. What is there of such users stays: they are erased first.
  virtual void RetireUsers(std::span<const Uuid> digests) = 0;

  // Names this data set since it was made; part of every Position. A new data set has another name, but a copy of the
  // files keeps it: after such a copy was put back, positions that were given since it was taken are of this generation
  // and name changes that are not there (yet, or any more).
  virtual std::string Generation() = 0;
};

}  // namespace novafeed
