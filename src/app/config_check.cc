#include "app/config_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/decimal.h"
#include "base/nearest_name.h"
#include "db/postgres_database.h"
#include "db/sqlite.h"
#include "db/sqlite_database.h"
#include "target/postgres_target.h"
#include "target/sqlite_table.h"

namespace tallyman {
namespace {

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& known) {
  const auto nearest = nearest_name(wrong, known);
  return nearest ? fmt::format("; did you mean \"{}\"?", *nearest) : std::string();
}

bool is_number(FieldType type) {
  return type == FieldType::kInteger || type == FieldType::kDecimal ||
         type == FieldType::kFloat || type == FieldType::kAny;
}

bool is_text(FieldType type) {
  return type == FieldType::kText || type == FieldType::kAny;
}

// Could a value of that type ever be `choice`?
bool can_be(FieldType type, const std::string& choice) {
  const auto number = Decimal::parse(choice);
  switch (type) {
    case FieldType::kInteger: return number && number->integer();
    case FieldType::kDecimal:
    case FieldType::kFloat: return number.has_value();
    case FieldType::kBoolean: return choice == "true" || choice == "false";
    case FieldType::kText:
    case FieldType::kDate:
    case FieldType::kTime:
    case FieldType::kTimestamp:
    case FieldType::kUuid:
    case FieldType::kJson:
    case FieldType::kBytes:
    case FieldType::kAny: return true;
  }
  return true;
}

class Checker {
 public:
  Checker(const ResourceConfig& resource, const Resource& table,
          std::vector<ConfigMistake>& mistakes)
      : resource_(resource), rules_(resource.rules), table_(table), mistakes_(mistakes) {}

  void check() {
    check_mentions();
    for (const auto& [field, rules] : rules_.fields) {
      if (const auto place = table_.field_place(field))
        check_rules(table_.fields[*place], rules);
    }
    for (const auto& [aggregate, named] : rules_.aggregates)
      check_aggregate(named.definition);
    check_required();
    check_keyed();
  }

 private:
  void mistake(int line, std::string message) {
    mistakes_.push_back(
        {line, fmt::format("resources.{}{}", rules_.name, std::move(message))});
  }

  // Where a setting names the field, or where the resource begins.
  int line_of(std::string_view setting, std::string_view field) const {
    for (const FieldMention& mention : resource_.mentions) {
      if (mention.setting == setting && mention.field == field) return mention.line;
    }
    return resource_.line;
  }

  void check_mentions() {
    for (const FieldMention& mention : resource_.mentions) {
      if (table_.field_place(mention.field)) continue;
      mistake(mention.line,
              fmt::format(".{}: table \"{}\" has no field \"{}\"{}", mention.setting,
                          rules_.table, mention.field,
                          did_you_mean(mention.field, table_.field_names())));
    }
  }

  void check_rules(const Field& field, const FieldRules& rules) {
    const std::string setting = "fields." + field.name;
    const int line = line_of(setting, field.name);
    const auto refuse = [&](std::string_view rule, std::string_view wanted) {
      mistake(line, fmt::format(".{}: {} needs {}, and the type of \"{}\" is {}", setting,
                                rule, wanted, field.name, name(field.type)));
    };
    if ((rules.minimum || rules.maximum) && !is_number(field.type)) {
      refuse(rules.minimum ? "min" : "max", "a number");
    }
    if (rules.max_length && !is_text(field.type)) refuse("max_length", "a text");
    if (rules.pattern && !is_text(field.type)) refuse("pattern", "a text");
    const bool possible = std::all_of(
        rules.choices.begin(), rules.choices.end(),
        [&](const std::string& choice) { return can_be(field.type, choice); });
    if (!possible) {
      mistake(line,
              fmt::format(".{}: choices holds what cannot be {} (the type of \"{}\")",
                          setting, name(field.type), field.name));
    }
  }

  void check_aggregate(const AggregateSpec& spec) {
    if (spec.type != AggregateType::kSum && spec.type != AggregateType::kAvg) return;
    const auto place = table_.field_place(spec.field);
    if (!place || is_number(table_.fields[*place].type)) return;
    const std::string setting = "aggregates." + spec.name + ".field";
    mistake(line_of(setting, spec.field),
            fmt::format(".{}: {} needs a number, and the type of \"{}\" is {}", setting,
                        name(spec.type), spec.field, name(table_.fields[*place].type)));
  }

  // A field that every new row must have, and no record may bring.
  void check_required() {
    const auto allows = [&](Operation operation) {
      return rules_.operations.empty() || rules_.operations.contains(operation);
    };
    if (!allows(Operation::kInsert) && !allows(Operation::kUpsert)) return;
    for (const Field& field : table_.fields) {
      if (!field.required()) continue;
      if (rules_.read_only.contains(field.name)) {
        mistake(
            line_of("read_only", field.name),
            fmt::format(": \"{}\" is read-only, but has no default and may not be NULL: "
                        "no row could ever be created",
                        field.name));
      } else if (!rules_.only.empty() && !is_shown(field)) {
        mistake(
            resource_.line,
            fmt::format(".only leaves out \"{}\", which has no default and may not be "
                        "NULL: no row could ever be created",
                        field.name));
      }
    }
  }

  bool is_shown(const Field& field) const {
    const Key* primary = table_.primary_key();
    const auto place = *table_.field_place(field.name);
    const bool in_key =
        primary != nullptr &&
        std::count(primary->fields.begin(), primary->fields.end(), place) > 0;
    return in_key || std::count(rules_.only.begin(), rules_.only.end(), field.name) > 0;
  }

  void check_keyed() {
    if (!table_.keys.empty()) return;
    for (const Operation operation : rules_.operations) {
      if (!is_keyed(operation)) continue;
      mistake(resource_.line,
              fmt::format(
                  ".operations: {} needs a key, and table \"{}\" has neither a primary "
                  "key nor a unique constraint",
                  name(operation), rules_.table));
    }
  }

  const ResourceConfig& resource_;
  const ResourceRules& rules_;
  const Resource& table_;
  std::vector<ConfigMistake>& mistakes_;
};

}  // namespace

namespace {

Result<DatabaseCatalogue> open_postgres_catalogue(const std::string& url) {
  TALLY_TRY_ASSIGN(auto opened, db::PostgresDatabase::open({.url = url}));
  const std::shared_ptr<db::PostgresDatabase> database = std::move(opened);
  const auto target = std::make_shared<PostgresTarget>(*database);
  DatabaseCatalogue catalogue;
  catalogue.tables = [database, target] { return target->tables(); };
  catalogue.introspect = [database, target](std::string_view table) {
    return target->introspect(table);
  };
  return catalogue;
}

}  // namespace

Result<DatabaseCatalogue> open_catalogue(const std::string& url) {
  if (db::is_postgres_url(url)) return open_postgres_catalogue(url);
  TALLY_TRY_ASSIGN(const std::string path, db::sqlite_path(url));
  TALLY_TRY_ASSIGN(auto opened,
                   db::SqliteConnection::open({.path = path, .read_only = true}));
  const std::shared_ptr<db::SqliteConnection> connection = std::move(opened);
  DatabaseCatalogue catalogue;
  catalogue.tables = [connection] { return list_sqlite_tables(*connection); };
  catalogue.introspect = [connection](std::string_view table) -> Result<Resource> {
    TALLY_TRY_ASSIGN(SqliteTable read, read_sqlite_table(*connection, table));
    return std::move(read.resource);
  };
  return catalogue;
}

int database_line(const ServerConfig& config) {
  const auto found = config.lines.find("database");
  return found == config.lines.end() ? 0 : found->second;
}

std::vector<ConfigMistake> check_against(const ServerConfig& config,
                                         const DatabaseCatalogue& catalogue) {
  std::vector<ConfigMistake> mistakes;
  const auto tables = catalogue.tables();
  if (!tables.ok()) {
    mistakes.push_back({database_line(config), "database: " + tables.error().message});
    return mistakes;
  }
  for (const ResourceConfig& resource : config.resources) {
    const auto table = catalogue.introspect(resource.rules.table);
    if (table.ok()) {
      const auto ruled = apply_rules(table.value(), resource.rules);
      const auto few = ruled.ok() ? require_few_fields(ruled.value(), config.fields_max)
                                  : Result<void>();
      if (!few.ok()) mistakes.push_back({resource.line, few.error().message});
      Checker(resource, table.value(), mistakes).check();
    } else if (table.error().code == ErrorCode::kNotFound) {
      mistakes.push_back(
          {resource.table_line,
           fmt::format("resources.{}: the database has no table \"{}\"{}",
                       resource.rules.name, resource.rules.table,
                       did_you_mean(resource.rules.table, tables.value()))});
    } else {
      mistakes.push_back(
          {resource.table_line,
           fmt::format("resources.{}: {}", resource.rules.name, table.error().message)});
    }
  }
  std::stable_sort(
      mistakes.begin(), mistakes.end(),
      [](const ConfigMistake& a, const ConfigMistake& b) { return a.line < b.line; });
  return mistakes;
}

}  // namespace tallyman
