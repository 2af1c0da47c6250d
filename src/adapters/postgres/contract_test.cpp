// The contract suites of the ports, over PostgreSQL.
#include "graph/store_contract.h"

#include <map>

#include "adapters/postgres/server_test_support.h"
#include "graph/leases_contract.h"

namespace novafeed {
namespace {

using postgres::ServerPrograms;
using postgres::TestDatabase;

// Counts every changed row of the captured tables, as capture would see it.
constexpr char kCountChanges[] =
    "CREATE TABLE public.changed_rows (change int);"
    "CREATE FUNCTION public.note_change() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN INSERT INTO public.changed_rows VALUES (1); RETURN NULL; END';"
    "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION public.note_change();"
    "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON posts FOR EACH ROW EXECUTE FUNCTION public.note_change();"
    "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON comments FOR EACH ROW EXECUTE FUNCTION "
    "public.note_change();"
    "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON likes FOR EACH ROW EXECUTE FUNCTION public.note_change();"
    "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON follows FOR EACH ROW EXECUTE FUNCTION "
    "public.note_change()";

// A database stands for a directory, as long as that exists.
class Databases {
 public:
  std::shared_ptr<TestDatabase> Of(const std::filesystem::path& directory, bool* is_new) {
    std::erase_if(databases_, [](const auto& entry) { return !std::filesystem::exists(entry.first); });
    std::shared_ptr<TestDatabase>& database = databases_[directory];
    *is_new = database == nullptr;
    if (*is_new) database = std::make_shared<TestDatabase>();
    return database;
  }

 private:
  std::map<std::filesystem::path, std::shared_ptr<TestDatabase>> databases_;
};

// Members go in reverse order: the store before the database.
struct Held {
  std::shared_ptr<TestDatabase> database;
  std::unique_ptr<PostgresGraph> store;
};

// `clock` null: the database's own.
std::shared_ptr<Held> OpenAt(const std::filesystem::path& directory, const Clock* clock) {
  postgres::SharedServer();  // made before the databases, and gone after them
  static Databases databases;
  bool is_new = false;
  auto held = std::make_shared<Held>();
  held->database = databases.Of(directory, &is_new);
  PostgresOptions options = held->database->Options();
  if (clock != nullptr) options.clock = clock;
  held->store = OpenPostgresGraph(options);
  if (is_new) held->database->Sql(kCountChanges);
  return held;
}

OpenGraph OpenGraphAt(const std::filesystem::path& directory, const Clock* clock) {
  std::shared_ptr<Held> held = OpenAt(directory, clock);
  OpenGraph open;
  open.store = held->store.get();
  open.count_changes = [database = held->database.get()] {
    return database->Number("SELECT count(*) FROM public.changed_rows");
  };
  open.owner = std::move(held);
  return open;
}

std::shared_ptr<Leases> OpenLeasesAt(const std::filesystem::path& directory) {
  const std::shared_ptr<Held> held = OpenAt(directory, nullptr);
  return {held, held->store.get()};
}

template <class Factory>
std::vector<Factory> WhereThereIsAServer(const Factory& factory) {
  if (ServerPrograms().empty()) return {};
  return {factory};
}

const GraphStoreFactory kGraphFactory = {"postgres", &OpenGraphAt};
const LeasesFactory kLeasesFactory = {"postgres", &OpenLeasesAt};

INSTANTIATE_TEST_SUITE_P(Postgres, GraphStoreContract, ::testing::ValuesIn(WhereThereIsAServer(kGraphFactory)));
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GraphStoreContract);
INSTANTIATE_TEST_SUITE_P(Postgres, LeasesContract, ::testing::ValuesIn(WhereThereIsAServer(kLeasesFactory)));
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LeasesContract);

TEST(PostgresContract, NeedsAServer) {
  NOVAFEED_NEEDS_POSTGRES();
}

}  // namespace
}  // namespace novafeed
