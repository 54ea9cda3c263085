#include "target/postgres_aggregate.h"

#include <algorithm>
#include <exception>
#include <map>

#include "model/limits.h"
#include "target/aggregate_accumulator.h"
#include "target/aggregate_plan.h"
#include "target/postgres_acting.h"
#include "target/postgres_job_rows.h"
#include "target/postgres_named_rows.h"
#include "target/postgres_wire.h"

namespace tallyman {
namespace {

using db::PostgresConnection;
using db::PostgresResult;

// SQL tells distinct values apart: no aggregate asks for this.
class NoDistinctValues final : public DistinctValues {
 public:
  Result<bool> add(std::uint64_t, std::string_view) override {
    return Error{ErrorCode::kInternal, "distinct values are counted in SQL"};
  }
};

bool is_text(PostgresWire wire) {
  return wire == PostgresWire::kText || wire == PostgresWire::kCast;
}

// A column of the rows for groups and distinct values.
std::string equal_term(const std::string& column, PostgresWire wire) {
  return is_text(wire) ? column + " COLLATE \"C\"" : column;
}

// SQL has no least UUID, and orders labels as they were declared.
bool is_ordered_as_text(PostgresWire wire) {
  return is_text(wire) || wire == PostgresWire::kUuid || wire == PostgresWire::kEnum;
}

std::string ordered_term(const std::string& column, PostgresWire wire) {
  return is_ordered_as_text(wire) ? column + "::text COLLATE \"C\"" : column;
}

class Aggregation {
 public:
  Aggregation(PostgresConnection& connection, const PostgresTable& table,
              const Resource& resource, const PostgresNamedRows& named)
      : connection_(connection), table_(table), resource_(resource), named_(named) {}

  Result<std::vector<AggregateResult>> run(std::span<const AggregateSpec> specs) {
    TALLY_TRY_ASSIGN(
        results_,
        begin_aggregates(
            specs, resource_, table_.resource, table_.row_id_kind, named_.counts(),
            [this](const AggregateSpec& spec) { return call(spec); },
            [this](std::size_t i, const AggregateSpec& spec) { add_member(i, spec); }));
    if (named_.any()) {
      for (auto& [groups, members] : by_groups_) TALLY_TRY(ask(groups, members));
      for (const std::size_t member : distinct_) TALLY_TRY(ask_distinct(member));
      if (!streamed_.empty()) TALLY_TRY(stream());
    }
    for (Member& member : members_) results_[member.result] = member.accumulator.finish();
    return std::move(results_);
  }

 private:
  using Places = std::vector<std::size_t>;  // In the table.

  struct Member {
    std::size_t result;
    AggregateType type;
    OutcomeMask outcomes;
    std::optional<std::size_t> value;  // Place in the table; none for count.
    Places groups;
    AggregateAccumulator accumulator;
  };

  PostgresWire wire(std::size_t place) const { return table_.columns[place].type.wire; }

  bool adds_floats(const Member& member) const {
    const bool adds =
        member.type == AggregateType::kSum || member.type == AggregateType::kAvg;
    return adds && (wire(*member.value) == PostgresWire::kFloat4 ||
                    wire(*member.value) == PostgresWire::kFloat8);
  }

  void add_member(std::size_t result, const AggregateSpec& spec) {
    const OutcomeMask outcomes = wanted_outcomes(spec);
    Member member{result,   spec.type,
                  outcomes, {},
                  {},       AggregateAccumulator(spec, resource_, no_values_, 0)};
    if (!spec.field.empty()) member.value = table_.resource.field_place(spec.field);
    for (const std::string& group : spec.group_by) {
      member.groups.push_back(table_.resource.field_place(group).value());
    }
    member.accumulator.add_count(
        count_records(named_.counts(), outcomes & mask_of(Outcome::kDeleted)));
    const std::size_t place = members_.size();
    members_.push_back(std::move(member));
    if (adds_floats(members_.back())) {
      streamed_.push_back(place);
    } else if (spec.type == AggregateType::kCountDistinct) {
      distinct_.push_back(place);
    } else {
      by_groups_[members_.back().groups].push_back(place);
    }
  }

  // The column of the rows that shows a field.
  static std::string column_of(Places& fields, std::size_t place) {
    auto found = std::find(fields.begin(), fields.end(), place);
    if (found == fields.end()) found = fields.insert(found, place);
    return "r.c" + std::to_string(found - fields.begin());
  }

  // Rows that the member is about, its values among them, and what is made of those.
  std::string totals_sql(const Member& member, Places& fields) const {
    const OutcomeMask outcomes = member.outcomes & kWritten;
    const std::string filter =
        outcomes == kWritten
            ? std::string()
            : " FILTER (WHERE r.outcomes & " + std::to_string(int{outcomes}) + " <> 0)";
    std::string sql = ", count(*)" + filter;
    if (!member.value) return sql;
    const std::string column = column_of(fields, *member.value);
    const PostgresWire value = wire(*member.value);
    const auto call = [&](const std::string& function, const std::string& argument) {
      return ", " + function + "(" + argument + ")" + filter;
    };
    switch (member.type) {
      case AggregateType::kMin:
      case AggregateType::kMax: {
        const std::string function = member.type == AggregateType::kMin ? "min" : "max";
        return sql + call("count", column) + call(function, ordered_term(column, value));
      }
      case AggregateType::kSum:
      case AggregateType::kAvg:
        sql += call("count", column) + ", (sum(" + column + ")" + filter + ")::numeric";
        return sql + (value == PostgresWire::kNumeric
                          ? call("max", "min_scale(" + column + ")")
                          : ", 0");
      case AggregateType::kCount:
      case AggregateType::kCountDistinct:
      case AggregateType::kCustom: break;
    }
    CHECK(false);
  }

  // All members that are grouped by the same fields.
  Result<void> ask(const Places& groups, const std::vector<std::size_t>& members) {
    Places fields;
    std::string group_terms;
    std::string totals;
    for (const std::size_t group : groups) {
      group_terms += (group_terms.empty() ? "" : ", ") +
                     equal_term(column_of(fields, group), wire(group));
    }
    for (const std::size_t member : members) {
      totals += totals_sql(members_[member], fields);
    }
    return take_groups("(" + named_.rows_sql(fields) + ") AS r", group_terms, totals,
                       groups, members);
  }

  // Told apart first and counted then: what SQL does to count(DISTINCT ...) takes a sort
  // a group.
  Result<void> ask_distinct(std::size_t place) {
    const Member& member = members_[place];
    Places fields;
    std::string terms;
    std::string group_terms;
    for (std::size_t i = 0; i < member.groups.size(); ++i) {
      const std::size_t group = member.groups[i];
      const std::string name = "g" + std::to_string(i);
      terms += equal_term(column_of(fields, group), wire(group)) + " AS " + name + ", ";
      group_terms += (i == 0 ? "" : ", ") + name;
    }
    terms += equal_term(column_of(fields, *member.value), wire(*member.value)) + " AS v";
    const std::string source = "(SELECT DISTINCT " + terms + " FROM (" +
                               named_.rows_sql(fields) + ") AS r WHERE r.outcomes & " +
                               std::to_string(int{member.outcomes}) + " <> 0) AS d";
    return take_groups(source, group_terms, ", count(*), count(v)", member.groups,
                       {place});
  }

  Result<void> take_groups(const std::string& source, const std::string& group_terms,
                           std::string totals, const Places& groups,
                           const std::vector<std::size_t>& members) {
    if (groups.empty()) totals.erase(0, 2);
    std::string sql = "SELECT " + group_terms + totals + " FROM " + source;
    if (!groups.empty()) {
      // One more than may be, so that it is seen that there are too many.
      sql += " GROUP BY " + group_terms + " LIMIT " +
             std::to_string(limits::kAggregateGroupsMax + 1);
    }
    TALLY_TRY_ASSIGN(const auto rows,
                     connection_.execute_params(sql, db::PostgresParams(), true));
    for (int row = 0; row < rows.rows(); ++row) {
      int column = static_cast<int>(groups.size());
      const GroupKey key(*this, groups, rows, row);
      for (const std::size_t member : members) {
        take_totals(members_[member], rows, row, column, key.pointers());
      }
    }
    return {};
  }

  // The values that a row of an answer is grouped by.
  class GroupKey {
   public:
    GroupKey(const Aggregation& aggregation, const Places& groups,
             const PostgresResult& rows, int row)
        : values_(groups.size()), scratch_(groups.size()) {
      for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto column = static_cast<int>(i);
        if (!rows.is_null(row, column)) {
          values_[i] = read_row_value(aggregation.wire(groups[i]), rows.text(row, column),
                                      scratch_[i]);
        }
        pointers_.push_back(&values_[i]);
      }
    }
    std::span<const RowValue* const> pointers() const { return pointers_; }

   private:
    std::vector<RowValue> values_;
    std::vector<std::string> scratch_;
    std::vector<const RowValue*> pointers_;
  };

  static std::uint64_t count_at(const PostgresResult& rows, int row, int column) {
    return db::read_wire64(rows.text(row, column));
  }

  void take_totals(Member& member, const PostgresResult& rows, int row, int& column,
                   std::span<const RowValue* const> groups) {
    GroupTotals totals;
    std::string scratch;
    const std::uint64_t in_group = count_at(rows, row, column++);
    totals.count = member.value ? count_at(rows, row, column++) : in_group;
    if (member.type == AggregateType::kMin || member.type == AggregateType::kMax) {
      const PostgresWire value = wire(*member.value);
      if (!rows.is_null(row, column)) {
        totals.extreme =
            read_row_value(is_ordered_as_text(value) ? PostgresWire::kText : value,
                           rows.text(row, column), scratch);
      }
      ++column;
    }
    if (member.type == AggregateType::kSum || member.type == AggregateType::kAvg) {
      if (!rows.is_null(row, column)) {
        const RowValue sum =
            read_row_value(PostgresWire::kNumeric, rows.text(row, column), scratch);
        totals.sum = sum.decimal;
        totals.finite = sum.kind == Value::Kind::kDecimal;
      }
      if (!rows.is_null(row, column + 1)) {
        totals.scale = static_cast<int>(db::read_wire32(rows.text(row, column + 1)));
      }
      column += 2;
    }
    if (in_group != 0) member.accumulator.add_totals(totals, groups);
  }

  // Row by row, for what SQL would round on the way.
  Result<void> stream() {
    Places fields;
    for (const std::size_t member : streamed_) {
      column_of(fields, *members_[member].value);
      for (const std::size_t group : members_[member].groups) column_of(fields, group);
    }
    TALLY_TRY_ASSIGN(const auto cursor,
                     PostgresCursor::open(connection_, named_.rows_sql(fields)));
    const auto outcomes_column = static_cast<int>(fields.size());
    std::vector<RowValue> values(fields.size());
    std::vector<std::string> scratch(fields.size());
    std::vector<const RowValue*> groups;
    const auto value_of = [&](std::size_t place) {
      return &values[static_cast<std::size_t>(
          std::find(fields.begin(), fields.end(), place) - fields.begin())];
    };
    while (true) {
      TALLY_TRY_ASSIGN(const bool more, cursor->next());
      if (!more) return {};
      for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto column = static_cast<int>(i);
        values[i] =
            cursor->is_null(column)
                ? RowValue()
                : read_row_value(wire(fields[i]), cursor->bytes(column), scratch[i]);
      }
      const auto outcomes = static_cast<OutcomeMask>(
          wire_integer(PostgresWire::kInt2, cursor->bytes(outcomes_column)));
      for (const std::size_t place : streamed_) {
        Member& member = members_[place];
        if (!(outcomes & member.outcomes)) continue;
        groups.clear();
        for (const std::size_t group : member.groups) groups.push_back(value_of(group));
        TALLY_TRY(member.accumulator.add(*value_of(*member.value), groups));
      }
    }
  }

  // The rows in the key's order, as SQLite gives them.
  Result<std::unique_ptr<PostgresJobRows>> open_rows(const AggregateSpec& spec) {
    Places places;
    std::vector<PostgresJobRows::Field> fields;
    std::string select;
    for (const Field& field : resource_.fields) {
      const auto place = table_.resource.field_place(field.name);
      if (!place) continue;
      select += (select.empty() ? "r.c" : ", r.c") + std::to_string(places.size());
      places.push_back(*place);
      fields.push_back({field.name, wire(*place)});
    }
    std::string order;
    for (std::size_t i = 0; i < table_.resource.primary_key()->fields.size(); ++i) {
      order += (i == 0 ? "r.k" : ", r.k") + std::to_string(i);
    }
    const std::string sql =
        named_.any()
            ? "SELECT " + select + " FROM (" + named_.rows_sql(places, true) +
                  ") AS r WHERE r.outcomes & " +
                  std::to_string(int{wanted_outcomes(spec)}) + " <> 0 ORDER BY " + order
            : "SELECT WHERE false";
    TALLY_TRY_ASSIGN(auto cursor, PostgresCursor::open(connection_, sql));
    return std::make_unique<PostgresJobRows>(std::move(cursor), std::move(fields));
  }

  // A function of the embedding program.
  Result<AggregateResult> call(const AggregateSpec& spec) {
    AggregateResult result{spec.name, {}, {}};
    const auto named = resource_.aggregates.find(spec.function);
    if (named == resource_.aggregates.end()) {
      result.error = "no aggregate function \"" + spec.function + "\"";
      return result;
    }
    TALLY_TRY_ASSIGN(const auto rows, open_rows(spec));
    try {
      result.value = named->second.function(*rows).dump();
    } catch (const std::exception& thrown) {
      result.error = "the function \"" + spec.function + "\" failed: " + thrown.what();
    } catch (...) {
      result.error = "the function \"" + spec.function + "\" failed";
    }
    if (rows->error()) return *rows->error();
    if (!result.error.empty()) result.value.clear();
    return result;
  }

  PostgresConnection& connection_;
  const PostgresTable& table_;
  const Resource& resource_;
  const PostgresNamedRows& named_;
  NoDistinctValues no_values_;
  std::vector<AggregateResult> results_;
  std::vector<Member> members_;
  std::map<Places, std::vector<std::size_t>> by_groups_;  // Places in members_.
  std::vector<std::size_t> distinct_;
  std::vector<std::size_t> streamed_;
};

// What the role may not read of what the aggregate reads; nothing: it may read all of it.
std::optional<std::string> hidden_field(const AggregateSpec& asked,
                                        const PostgresTable& table,
                                        const Resource& resource) {
  const AggregateSpec spec = resolve_aggregate(asked, resource);
  std::vector<std::string> names = spec.group_by;
  if (!spec.field.empty()) names.push_back(spec.field);
  if (spec.type == AggregateType::kCustom) names = resource.field_names();
  if (const Key* key = table.resource.primary_key()) {
    for (const std::size_t place : key->fields) {
      names.push_back(table.resource.fields[place].name);
    }
  }
  for (const std::string& name : names) {
    const auto place = table.resource.field_place(name);
    if (place && !table.rights->select[*place]) return name;
  }
  return std::nullopt;
}

// REQUIRES: the connection acts as the one whose rights the table tells.
Result<std::vector<AggregateResult>> aggregate_what_is_shown(
    PostgresConnection& connection, const PostgresTable& table, const Resource& resource,
    std::span<const AggregateSpec> specs, const PostgresNamedRows& named) {
  std::vector<AggregateResult> results(specs.size());
  std::vector<AggregateSpec> shown;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    results[i].name = specs[i].name;
    if (const auto field = hidden_field(specs[i], table, resource)) {
      results[i].error = "the role that the job acts as may not read \"" + *field +
                         "\"; let the table's owner GRANT SELECT of it";
      continue;
    }
    shown.push_back(specs[i]);
    places.push_back(i);
  }
  TALLY_TRY_ASSIGN(auto answers,
                   Aggregation(connection, table, resource, named).run(shown));
  for (std::size_t i = 0; i < places.size(); ++i) {
    results[places[i]] = std::move(answers[i]);
  }
  return results;
}

}  // namespace

Result<std::vector<AggregateResult>> aggregate_postgres(
    PostgresConnection& connection, const PostgresTable& table, const Resource& resource,
    std::span<const AggregateSpec> specs, const RowIdSourceMaker& ids,
    const ActingAs& acting) {
  TALLY_TRY_ASSIGN(const auto named, PostgresNamedRows::open(connection, table, ids));
  if (!acting.is_somebody()) {
    return Aggregation(connection, table, resource, *named).run(specs);
  }
  TALLY_TRY(named->show_to(acting.role));
  PostgresTable theirs = table;
  TALLY_TRY(begin_acting(connection, acting));
  TALLY_TRY(read_postgres_rights(connection, theirs));
  TALLY_TRY_ASSIGN(auto results,
                   aggregate_what_is_shown(connection, theirs, resource, specs, *named));
  TALLY_TRY(end_acting(connection, acting));
  return results;
}

Result<Target::Presence> count_present_postgres(PostgresConnection& connection,
                                                const PostgresTable& table,
                                                const RowIdSourceMaker& ids,
                                                const ActingAs& acting) {
  TALLY_TRY_ASSIGN(
      const auto named,
      PostgresNamedRows::open(connection, table, ids, PostgresNamedRows::Of::kPresence));
  if (table.row_id_kind == RowIdKind::kNone) {
    const std::uint64_t records = count_records(named->counts(), kWritten);
    return Target::Presence{records, records};
  }
  Target::Presence presence{named->named(), 0};
  if (!named->any()) return presence;
  TALLY_TRY(named->show_to(acting.role));
  TALLY_TRY(begin_acting(connection, acting));
  TALLY_TRY_ASSIGN(const auto count, connection.exec(named->count_sql()));
  TALLY_TRY(end_acting(connection, acting));
  presence.present = static_cast<std::uint64_t>(count.integer(0, 0));
  return presence;
}

}  // namespace tallyman
