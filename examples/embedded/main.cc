// A bulk server inside a program of one's own: a resource in code, a validator and an
// aggregate function.
//
//   sqlite3 shop.db 'CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL,
//                                         amount DECIMAL(10,2) NOT NULL)'
//   ./embedded sqlite:shop.db 127.0.0.1:0     (or postgresql://...)
#include <tallyman/application.h>

#include <cstdio>
#include <exception>
#include <map>
#include <string>

namespace {

// Amounts are given in steps of five cents.
tallyman::Verdict in_steps_of_five_cents(const tallyman::Value& value) {
  const std::string text(value.text());
  const std::size_t point = text.find('.');
  const bool has_cents = point != std::string::npos && text.size() == point + 3;
  if (has_cents && text.back() != '0' && text.back() != '5') {
    return tallyman::Verdict::reject("must be in steps of 0.05");
  }
  return tallyman::Verdict::accept();
}

// {"Ada": 2, "Grace": 1}: how many orders each customer has in the job.
tallyman::Json orders_by_customer(tallyman::JobRows& rows) {
  std::map<std::string, std::int64_t> counts;
  while (rows.next()) ++counts[std::string(rows.value("customer").text())];
  std::vector<std::pair<std::string, tallyman::Json>> members;
  for (const auto& [customer, count] : counts) {
    members.emplace_back(customer, tallyman::Json::integer(count));
  }
  return tallyman::Json::object(members);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: embedded DATABASE ADDRESS:PORT\n");
    return 2;
  }
  try {
    tallyman::Application app(tallyman::Config::for_database(argv[1]).listen(argv[2]));
    app.resource("orders")
        .operations({"insert", "upsert"})
        .validate("amount", in_steps_of_five_cents)
        .aggregate("orders_by_customer", orders_by_customer);
    return app.run();
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "embedded: %s\n", exception.what());
    return 2;
  }
}
