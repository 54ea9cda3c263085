#include "target/postgres_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "target/postgres_wire.h"
#include "target/test_upload.h"

namespace tallyman {
namespace {

using testing::ElementsAre;

// t(id int4 primary key, amount numeric(6,2), note varchar(5) not null default,
//   day date, mood enum, made int generated)
PostgresTable make_table() {
  PostgresTable table;
  table.resource.name = table.resource.table = "t";
  const auto add = [&](std::string name, PostgresTypeFacts facts) {
    facts.oid = 1;
    PostgresColumn column;
    column.type = describe_postgres_type(std::move(facts));
    Field field;
    field.name = std::move(name);
    field.type = column.type.field_type;
    field.precision = column.type.precision;
    field.scale = column.type.scale;
    field.max_length = column.type.max_length;
    table.resource.fields.push_back(std::move(field));
    table.columns.push_back(std::move(column));
  };
  add("id", {.schema = "pg_catalog", .name = "int4"});
  add("amount",
      {.schema = "pg_catalog", .name = "numeric", .modifier = ((6 << 16) | 2) + 4});
  add("note", {.schema = "pg_catalog", .name = "varchar", .modifier = 9});
  add("day", {.schema = "pg_catalog", .name = "date"});
  add("mood", {.schema = "app", .name = "mood", .kind = 'e', .labels = {"sad", "ok"}});
  add("made", {.schema = "pg_catalog", .name = "int8"});
  table.resource.fields[0].nullable = false;
  table.resource.fields[2].nullable = false;
  table.resource.fields[2].has_default = true;
  table.resource.fields[5].generated = true;
  table.resource.keys = {{"t_pkey", {0}, true}};
  table.keys.resize(1);
  return table;
}

class PostgresWindowTest : public testing::Test {
 protected:
  // Of each record, its slice: of 8 in turns, if nothing else is said.
  std::string slices_of(const std::string& text,
                        const PostgresSlicing& slicing = {
                            .slices = 8, .by_key = true, .in_turns = true}) {
    const auto window = bind(text, Operation::kUpsert, slicing);
    std::string slices(window->size(), '?');
    for (std::uint32_t slice = 0; slice < slicing.slices; ++slice) {
      for (const std::uint32_t i : window->slice(slice)) {
        slices[i] = static_cast<char>('0' + slice);
      }
    }
    return slices;
  }

  std::unique_ptr<PostgresWindow> bind(const std::string& text,
                                       Operation operation = Operation::kInsert,
                                       const PostgresSlicing& slicing = {},
                                       ContentType type = ContentType::kCsv) {
    const TestUpload upload(type, text, resource_);
    WriteSpec spec;
    spec.operation = operation;
    spec.columns = upload.columns();
    spec.sparse = type != ContentType::kCsv;
    const WritePlan plan = plan_write(resource_, spec).value();
    const auto binder = PostgresBinder::make(resource_, table_, plan);
    EXPECT_TRUE(binder.ok()) << binder.error().message;
    return binder.value().bind(upload.windows(1'000'000).front(), slicing);
  }
  static std::vector<std::string> errors(const PostgresWindow& window) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < window.size(); ++i) {
      const RecordError* error = window.error(i);
      texts.push_back(error ? std::string(name(error->code)) + " " + error->field : "");
    }
    return texts;
  }

  PostgresTable table_ = make_table();
  Resource resource_ = table_.resource;
};

TEST_F(PostgresWindowTest, HoldsValuesColumnByColumn) {
  const auto window = bind("id,amount,note,day\n1,12.50,ab,2000-01-02\n-2,,\"\",\n");
  ASSERT_EQ(window->size(), 2u);
  EXPECT_EQ(window->failed_binding(), 0u);
  EXPECT_FALSE(window->has_absent());
  EXPECT_EQ(window->wire(0, 0), std::string("\0\0\0\1", 4));
  EXPECT_EQ(window->wire(0, 1), "\xFF\xFF\xFF\xFE");
  EXPECT_EQ(window->wire(2, 0), "ab");
  EXPECT_EQ(window->state(1, 1), CellState::kNull);
  EXPECT_EQ(window->state(2, 1), CellState::kValue);
  EXPECT_EQ(window->wire(2, 1), "");
  EXPECT_EQ(window->wire(3, 0), std::string("\0\0\0\1", 4));
  std::string row;
  window->append_fields(std::vector<std::size_t>{0}, 0, row);
  window->append_fields(std::vector<std::size_t>{1, 2}, 1, row);
  EXPECT_EQ(row, std::string("\0\0\0\4\0\0\0\1\xFF\xFF\xFF\xFF\0\0\0\0", 16));
}

TEST_F(PostgresWindowTest, GivesEachRecordItsFirstError) {
  const auto window = bind(
      "note,id,amount,mood\n"
      "ab,1,1.5,ok\n"
      "abcdef,x,1,ok\n"
      "ab,x,1.234,ok\n"
      "ab,1,1.234,glad\n"
      "ab,1,12345,ok\n"
      "ab,1,1,glad\n"
      ",1,1,ok\n"
      "ab,,1,ok\n"
      "ab,99999999999,1,ok\n"
      "ab,1,1,ok,6\n");
  EXPECT_THAT(
      errors(*window),
      ElementsAre("", "VALUE_TOO_LONG note", "INVALID_TYPE id",
                  "VALUE_OUT_OF_RANGE amount", "VALUE_OUT_OF_RANGE amount",
                  "INVALID_CHOICE mood", "NOT_NULL_VIOLATION note",
                  "NOT_NULL_VIOLATION id", "VALUE_OUT_OF_RANGE id", "MALFORMED_RECORD "));
  EXPECT_EQ(window->failed_binding(), 9u);
  EXPECT_EQ(window->error(2)->message, "must be a whole number such as 41");
  EXPECT_EQ(window->error(8)->message, "must be from -2147483648 to 2147483647");
  EXPECT_EQ(window->error(3)->message,
            "must have at most 4 digits before and 2 after the point");
  EXPECT_EQ(window->error(5)->message, "must be one of: sad, ok");
}

TEST_F(PostgresWindowTest, KnowsWhatAJsonRecordLacks) {
  const auto window = bind(
      "{\"id\":1,\"note\":\"a\"}\n{\"note\":\"a\"}\n{\"id\":null,\"note\":\"a\"}\n"
      "{\"id\":1,\"made\":5}\n{\"id\":1,\"amount\":1.50,\"note\":true}\n",
      Operation::kUpdate, {}, ContentType::kNdjson);
  EXPECT_THAT(errors(*window),
              ElementsAre("", "REQUIRED_FIELD_MISSING id", "REQUIRED_FIELD_MISSING id",
                          "UNKNOWN_FIELD made", "INVALID_TYPE note"));
  EXPECT_TRUE(window->has_absent());
  EXPECT_EQ(window->state(1, 0), CellState::kAbsent);
}

TEST_F(PostgresWindowTest, AppliesTheRulesOfTheConfiguration) {
  resource_.fields[1].rules.maximum = "10";
  resource_.fields[2].rules.choices = {"ab", "cd"};
  resource_.fields[3].rules.pattern = "2024-.*";
  const auto window = bind(
      "id,amount,note,day\n1,10.00,ab,2024-01-01\n2,10.01,ab,\n3,1,ef,\n"
      "4,1,ab,2023-01-01\n5,,cd,\n");
  EXPECT_THAT(errors(*window),
              ElementsAre("", "VALUE_OUT_OF_RANGE amount", "INVALID_CHOICE note",
                          "VALIDATION_FAILED day", ""));
}

TEST_F(PostgresWindowTest, OnlyBindsTheKeyOfADelete) {
  const auto window = bind("note,id\nfar too long,7\n,x\n", Operation::kDelete);
  EXPECT_THAT(errors(*window), ElementsAre("", "INVALID_TYPE id"));
  EXPECT_EQ(window->state(0, 0), CellState::kAbsent);
  EXPECT_EQ(window->wire(1, 0), std::string("\0\0\0\7", 4));
}

std::string many_records(int count) {
  std::string text = "id,note\n";
  for (int i = 0; i < count; ++i) {
    text += (i % 10 == 7 ? "x" : std::to_string(i % 300)) + ",n" +
            std::to_string(i % 1000) + "\n";
  }
  return text;
}

TEST_F(PostgresWindowTest, KeepsRecordsOfOneKeyInOneSlice) {
  const std::string text = many_records(5000);
  const PostgresSlicing slicing{
      .slices = 8, .by_key = true, .in_turns = true, .wanted = {}};
  const auto window = bind(text, Operation::kUpsert, slicing);
  std::map<std::string, std::set<std::uint32_t>> slices_of_key;
  std::set<std::uint32_t> seen;
  std::uint32_t slices_in_use = 0;
  for (std::uint32_t slice = 0; slice < window->slices(); ++slice) {
    std::uint32_t last = 0;
    slices_in_use += window->slice(slice).empty() ? 0 : 1;
    for (const std::uint32_t i : window->slice(slice)) {
      EXPECT_TRUE(seen.insert(i).second);
      EXPECT_GE(i, last);
      last = i;
      if (window->is_failed(i)) {
        EXPECT_EQ(window->place(i) % 8, slice);
      } else {
        slices_of_key[std::string(window->wire(0, i))].insert(slice);
      }
    }
  }
  EXPECT_EQ(seen.size(), 5000u);
  EXPECT_EQ(slices_in_use, 8u);
  EXPECT_EQ(slices_of_key.size(), 270u);
  for (const auto& [key, slices] : slices_of_key) EXPECT_EQ(slices.size(), 1u);
}

TEST_F(PostgresWindowTest, HoldsTheWantedSlicesAloneAsPartsOfTheWhole) {
  const std::string text = many_records(1000);
  for (const bool by_key : {true, false}) {
    PostgresSlicing slicing{.slices = 5, .by_key = by_key, .wanted = {}};
    const auto whole = bind(text, Operation::kUpsert, slicing);
    slicing.wanted = {1, 4};
    const auto some = bind(text, Operation::kUpsert, slicing);
    EXPECT_EQ(some->size(), whole->slice(1).size() + whole->slice(4).size());
    for (const std::uint32_t slice : {1U, 4U}) {
      ASSERT_EQ(some->slice(slice).size(), whole->slice(slice).size());
      for (std::size_t n = 0; n < some->slice(slice).size(); ++n) {
        const std::uint32_t i = some->slice(slice)[n];
        const std::uint32_t j = whole->slice(slice)[n];
        EXPECT_EQ(some->record_number(i), whole->record_number(j));
        EXPECT_EQ(some->wire(0, i), whole->wire(0, j));
        EXPECT_EQ(some->wire(1, i), whole->wire(1, j));
        EXPECT_EQ(some->is_failed(i), whole->is_failed(j));
      }
    }
  }
}

TEST_F(PostgresWindowTest, CutsContiguousPartsOfOneSize) {
  const PostgresSlicing slicing{.slices = 3, .by_key = false, .wanted = {}};
  const auto window = bind("id\n1\n2\n3\n4\n5\n6\n7\n", Operation::kInsert, slicing);
  EXPECT_THAT(window->slice(0), ElementsAre(0, 1, 2));
  EXPECT_THAT(window->slice(1), ElementsAre(3, 4));
  EXPECT_THAT(window->slice(2), ElementsAre(5, 6));
  const PostgresSlicing many{.slices = 4, .by_key = false, .wanted = {}};
  const auto two = bind("id\n1\n2\n", Operation::kInsert, many);
  EXPECT_THAT(two->slice(0), ElementsAre(0));
  EXPECT_THAT(two->slice(1), ElementsAre());
  EXPECT_THAT(two->slice(2), ElementsAre(1));
}

// Nodes of different versions share a job: which slice a key is in is for ever.
TEST_F(PostgresWindowTest, NeverMovesAKeyToAnotherSlice) {
  const std::string ids = "id\n1\n2\n3\n4\n5\n-1\n1000000\n";
  EXPECT_EQ(slices_of(ids), "1630574");
  EXPECT_EQ(slices_of(ids, {.slices = 16, .by_key = true, .in_turns = true}), "163057<");
  EXPECT_EQ(slices_of(ids, {.slices = 3, .by_key = true}), "1111122");
  resource_.keys = table_.resource.keys = {{"t_note_key", {2}, true}};
  EXPECT_EQ(slices_of("note\na1\na2\na3\na\na01\nb1\n7\n1b\n"), "27452177");
}

std::string names_without_numbers() {
  std::string names = "note\n";
  for (int i = 0; i < 8000; ++i) {
    names +=
        std::string{static_cast<char>('a' + i % 20), static_cast<char>('a' + i / 20 % 20),
                    static_cast<char>('a' + i / 400)} +
        "\n";
  }
  return names;
}

// So every transaction has its share of a page's rows, and each lane its share of keys.
TEST_F(PostgresWindowTest, TakesNeighboursInTurnAndSpreadsWhatGoesBySteps) {
  const auto counted = [&](const std::string& text) {
    std::map<char, int> sizes;
    for (const char slice : slices_of(text)) ++sizes[slice];
    return sizes;
  };
  const auto count = [&](int first, int step, int keys) {
    std::string text = "id\n";
    for (int i = 0; i < keys; ++i) text += std::to_string(first + i * step) + "\n";
    return counted(text);
  };
  for (const int step : {1, 2, 3}) {
    for (const auto& [slice, size] : count(640, step, 64)) EXPECT_NEAR(size, 8, 2);
  }
  resource_.keys = table_.resource.keys = {{"t_note_key", {2}, true}};
  for (const auto& [slice, size] : counted(names_without_numbers()))
    EXPECT_NEAR(size, 1000, 200) << slice;
  resource_.keys = table_.resource.keys = {{"t_pkey", {0}, true}};
  for (const int step : {8, 10, 64, 1000}) {
    const auto sizes = count(0, step, 8000);
    EXPECT_EQ(sizes.size(), 8u) << step;
    for (const auto& [slice, size] : sizes) EXPECT_NEAR(size, 1000, 400) << step;
  }
}

// So a lane can give half of its slices away.
TEST_F(PostgresWindowTest, SpreadsKeysWithoutNumbersOverAllSlicesOfAllLanes) {
  resource_.keys = table_.resource.keys = {{"t_note_key", {2}, true}};
  for (const std::uint32_t lanes : {2U, 4U}) {
    const std::uint32_t count = lanes * kSliceTurns;
    std::map<char, int> sizes;
    for (const char slice :
         slices_of(names_without_numbers(),
                   {.slices = count, .by_key = true, .in_turns = true})) {
      ++sizes[slice];
    }
    EXPECT_EQ(sizes.size(), count);
    for (const auto& [slice, size] : sizes) {
      EXPECT_NEAR(size, 8000 / count, 1600 / count) << slice << " of " << count;
    }
  }
}

// So a lane writes into few places of an index, and none has much more to do than others.
TEST_F(PostgresWindowTest, GivesRunsOfNumbersToLanesInTurn) {
  constexpr int kRuns = 196;  // Of 8192 numbers; the last one is begun.
  std::string ids = "id\n";
  for (int id = 0; id < 1'600'000; id += 200) ids += std::to_string(id) + "\n";
  for (const bool in_turns : {false, true}) {
    const std::uint32_t slices_of_a_lane = in_turns ? kSliceTurns : 1;
    for (const std::uint32_t lanes : {2U, 3U, 5U}) {
      const std::string slices = slices_of(
          ids,
          {.slices = lanes * slices_of_a_lane, .by_key = true, .in_turns = in_turns});
      std::map<std::uint32_t, int> sizes;
      int changes = 0;
      for (std::size_t i = 0; i < slices.size(); ++i) {
        const auto lane_of = [&](char slice) {
          return static_cast<std::uint32_t>(slice - '0') / slices_of_a_lane;
        };
        ++sizes[lane_of(slices[i])];
        changes += i > 0 && lane_of(slices[i]) != lane_of(slices[i - 1]) ? 1 : 0;
      }
      EXPECT_LT(changes, kRuns) << lanes;
      EXPECT_EQ(sizes.size(), lanes);
      for (const auto& [lane, size] : sizes) {
        EXPECT_NEAR(size, 8000 / lanes, 200) << lane << " of " << lanes;
      }
    }
  }
}

}  // namespace
}  // namespace tallyman
