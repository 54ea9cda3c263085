// PeopleEngine: an engine over a table that keeps a log of its writes, and whose records
// can call the test while they are bound.
//
//   PeopleEngine engine;
//   engine.on_id([&](std::int64_t id) { if (id == 3) stop.raise(); });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "worker/test_engine.h"

namespace tallyman {

struct IdHook {
  std::shared_ptr<std::function<void(std::int64_t)>> call =
      std::make_shared<std::function<void(std::int64_t)>>();

  ResourceRules rules() const {
    FieldRules id;
    id.validators.push_back([hook = call](const Value& value) {
      if (*hook) (*hook)(value.integer().value_or(0));
      return Verdict::accept();
    });
    ResourceRules people{.name = "people", .table = "people"};
    people.fields.emplace("id", std::move(id));
    return people;
  }
};

class PeopleEngine : private IdHook, public TestEngine {
 public:
  explicit PeopleEngine(ServiceSettings service_settings = {})
      : TestEngine(kSchema, service_settings, IdHook::rules()) {}

  // Called with each record's id as it is bound, in the thread that reads ahead.
  void on_id(std::function<void(std::int64_t)> hook) { *call = std::move(hook); }

  // "+3": row 3 was inserted; "3=41": its age was set to 41.
  std::vector<std::string> log() { return query("select what from log order by n"); }
  std::vector<std::string> rows() {
    return query("select id, age from people order by id");
  }

 private:
  static constexpr const char* kSchema = R"(
    create table people (id integer primary key, age integer check (age < 200));
    create table log (n integer primary key autoincrement, what text);
    create trigger people_insert after insert on people
      begin insert into log (what) values ('+' || new.id); end;
    create trigger people_update after update on people
      begin insert into log (what) values (new.id || '=' || new.age); end;
  )";
};

}  // namespace tallyman
