#include "adapters/chdb/approved_statements.h"

#include <boost/algorithm/string/predicate.hpp>
#include <optional>

#include "adapters/chdb/statement.h"

namespace novafeed {
namespace {

// {name:Identifier}: what such a text names is not in the text.
bool HasNameAsParameter(std::string_view statement) {
  return boost::icontains(statement, "Identifier");
}

}  // namespace

bool MayChangeDatabases(std::string_view statement) {
  const std::optional<SqlToken> first = SqlLexer(statement).Next();
  if (!first) return false;
  for (const std::string_view harmless : {"INSERT", "ALTER", "TRUNCATE", "OPTIMIZE"}) {
    if (boost::iequals(first->text, harmless)) return false;
  }
  return true;
}

std::uint64_t ApprovedStatements::Round() const {
  const std::scoped_lock lock(mutex_);
  return round_;
}

bool ApprovedStatements::Has(const std::string& statement) const {
  const std::scoped_lock lock(mutex_);
  return statements_.contains(statement);
}

void ApprovedStatements::Add(const std::string& statement, std::uint64_t round) {
  if (HasNameAsParameter(statement)) return;
  const std::scoped_lock lock(mutex_);
  if (round != round_) return;
  if (statements_.size() >= most_) statements_.clear();
  statements_.insert(statement);
}

void ApprovedStatements::Forget() {
  const std::scoped_lock lock(mutex_);
  ++round_;
  statements_.clear();
}

}  // namespace novafeed
