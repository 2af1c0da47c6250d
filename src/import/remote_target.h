// Imports into a running server.
#pragma once

#include <string>
#include <vector>

#include "import/importer.h"
#include "import/target.h"

namespace novafeed {

class RemoteTarget final : public ImportTarget {
 public:
  explicit RemoteTarget(ImportSend send) : send_(std::move(send)) {}

  Result<std::vector<ImportPoint>> Points(const std::string& head) override;
  // Lines that are no actions stay here.
  Status Apply(const ImportBatch& batch, ImportReport* report) override;
  Status Settle(ImportReport*) override { return {}; }  // an answer says that all is durable

 private:
  ImportSend send_;
};

}  // namespace novafeed
