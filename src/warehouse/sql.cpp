#include "warehouse/sql.h"

#include <stdexcept>
#include <string>

namespace novafeed {

std::string_view WarehouseSql(std::string_view name) {
  const std::string file = std::string(name) + ".sql";
  for (const SqlScript& script : WarehouseStatements()) {
    if (script.name == file) return script.text;
  }
  throw std::logic_error("There is no src/warehouse/sql/" + file);
}

}  // namespace novafeed
