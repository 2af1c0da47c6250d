// Statements that the read-only user was found to be allowed to run, so that the engine need not parse each of them
// twice: a service asks the same few texts again and again. What is allowed depends on the text and on the databases
// that there are, and on nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace novafeed {

// True where a statement that does more than read may make or remove a database: any but the few kinds that cannot.
bool MayChangeDatabases(std::string_view statement);

// Thread-safe.
class ApprovedStatements {
 public:
  // At most that many; when there is no room for another, all are found out anew.
  explicit ApprovedStatements(std::size_t most = 1000) : most_(most) {}

  // Taken before the databases are looked at, and given to Add.
  std::uint64_t Round() const;
  bool Has(const std::string& statement) const;
  // Does nothing where Forget came since that Round, and for a text whose names come as parameters.
  void Add(const std::string& statement, std::uint64_t round);
  // Before and after a statement that may change databases.
  void Forget();

 private:
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::uint64_t round_ = 0;                       // guarded by mutex_
  std::unordered_set<std::string> statements_{};  // guarded by mutex_
};

}  // namespace novafeed
