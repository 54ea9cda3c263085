// The ledger's units as the target reads them: one after the other, from the start.
#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "db/database.h"
#include "store/ledger.h"
#include "target/target.h"

namespace tallyman {

// Within the snapshot `transaction`.
inline RowIdSourceMaker ledger_ids(Ledger& ledger, db::Transaction& transaction,
                                   JobNumber job) {
  return [&ledger, &transaction, job]() -> RowIdSource {
    return [&ledger, &transaction, job, window = WindowNumber(0),
            slice = SliceNumber(0)](UnitOutcomes& into) mutable -> Result<bool> {
      TALLY_TRY_ASSIGN(auto unit, ledger.next_unit(transaction, job, window, slice));
      if (!unit) return false;
      window = unit->window;
      slice = SliceNumber(unit->slice.value() + 1);
      into = std::move(unit->outcomes);
      return true;
    };
  };
}

}  // namespace tallyman
