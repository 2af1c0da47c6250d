// What the purge asks of graph.db: pseudonyms in the rows and changes that stay. And the list of erased users.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/group_writer.h"
#include "capture/pseudonyms.h"
#include "graph/store.h"

namespace novafeed::sqlite {

// Tables are read on a connection of its own, and only the rows found are written, some hundred in a work: a writer
// never waits for a scan. Blocking; not on the writer thread; one call at a time. Throws StoreError.
class GraphErasure {
 public:
  // Both outlive this; `writer` is that of `database`.
  GraphErasure(Database* database, GroupWriter* writer);

  void HideInRows(std::span<const Erasure> erased);
  void HideInChanges(std::span<const Erasure> erased, std::int64_t through);
  void Close(std::span<const Erasure> erased);

  // GraphStore, for backups that were put back.
  std::vector<Uuid> RetiredUsers();
  std::vector<UserId> FindUsers(std::span<const Uuid> digests);
  void RetireUsers(std::span<const Uuid> digests);

 private:
  // Rows of a table with a rowid, by their column that names a user. `find`: (after rowid, limit) -> rowid, user;
  // `hide`: (rowid, user, pseudonym), and changes nothing where that user is not in the row.
  void HideInTable(Database& reader, const Pseudonyms& pseudonyms, const char* find, Statement& hide);
  void HideInLikes(Database& reader, const Pseudonyms& pseudonyms);
  void HideBeside(std::span<const Erasure> erased);

  Database* database_;
  GroupWriter* writer_;
  // Writer thread only.
  Statement hide_post_;
  Statement hide_comment_;
  Statement hide_like_;
  Statement hide_change_;
  Statement drop_outbox_;
  Statement hide_outbox_;
  Statement drop_facts_;
  Statement close_;
  Statement retire_;
};

}  // namespace novafeed::sqlite
