// What a job does with its records.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tallyman {

// The numbers are stored in databases: append, never renumber.
enum class Operation : std::uint8_t {
  kInsert = 0,
  kUpsert = 1,   // Update the row with the same key, or insert.
  kUpdate = 2,   // Write only the fields a record has.
  kReplace = 3,  // Write every field; those a record lacks get their default.
  kDelete = 4,
};

inline constexpr auto kAllOperations =
    std::to_array<Operation>({Operation::kInsert, Operation::kUpsert, Operation::kUpdate,
                              Operation::kReplace, Operation::kDelete});

// True where a record names a row by its key (every operation but insert).
constexpr bool is_keyed(Operation operation) { return operation != Operation::kInsert; }

// True where a row may be there already, and stays.
constexpr bool changes_rows(Operation operation) {
  return operation != Operation::kInsert && operation != Operation::kDelete;
}

// "insert", "upsert", ...: in the API, the config, the scopes and the database.
std::string_view name(Operation operation);
std::optional<Operation> operation_from_name(std::string_view text);

}  // namespace tallyman
