#include "target/postgres_results.h"

#include "target/postgres_row_id.h"

namespace tallyman {

PostgresResults::PostgresResults(const PostgresWrite& write, const PostgresWindow& window)
    : write_(write), window_(window), outcomes_(window.size(), Outcome::kUnprocessed) {
  if (write.table.row_id_kind == RowIdKind::kInteger) integers_.resize(window.size());
  if (write.table.row_id_kind == RowIdKind::kText) texts_.resize(window.size());
}

void PostgresResults::note(std::uint32_t i, Outcome outcome) {
  if (outcomes_[i] == Outcome::kFailed) errors_.erase(i);
  outcomes_[i] = outcome;
}

void PostgresResults::succeed(std::uint32_t i, Outcome outcome,
                              std::span<const std::string_view> id) {
  note(i, outcome);
  if (write_.table.row_id_kind == RowIdKind::kInteger) {
    integers_[i] = db::read_wire_integer(id.front());
  } else if (write_.table.row_id_kind == RowIdKind::kText) {
    texts_[i].clear();
    append_row_id(write_.table, id, texts_[i]);
  }
}

void PostgresResults::fail(std::uint32_t i, RecordError error) {
  outcomes_[i] = Outcome::kFailed;
  errors_.insert_or_assign(i, std::move(error));
}

UnitOutcomes PostgresResults::unit(std::span<const std::uint32_t> records) {
  UnitOutcomes unit;
  unit.first_record = window_.first_record();
  unit.ids.kind = write_.table.row_id_kind;
  const bool contiguous = records.empty() || window_.place(records.back()) -
                                                     window_.place(records.front()) + 1 ==
                                                 records.size();
  if (contiguous && !records.empty()) {
    unit.first_record = RecordNumber(window_.record_number(records.front()));
  }
  for (const std::uint32_t i : records) {
    const auto at = static_cast<std::uint32_t>(unit.outcomes.size());
    if (!contiguous) unit.places.push_back(window_.place(i));
    unit.outcomes.push_back(outcomes_[i]);
    if (unit.ids.kind == RowIdKind::kInteger) unit.ids.push(integers_[i]);
    if (unit.ids.kind == RowIdKind::kText) {
      unit.ids.push(is_success(outcomes_[i]) ? texts_[i] : std::string_view());
    }
    if (outcomes_[i] == Outcome::kFailed) {
      unit.errors.emplace_back(at, std::move(errors_.at(i)));
    }
  }
  return unit;
}

}  // namespace tallyman
