// TemporaryPostgres: a database of its own for a test, on a private server that this
// process starts at the first one and that ends with it.
//
//   db::TemporaryPostgres database;
//   database->begin_write(...);
//   database.sql("CREATE TABLE ...");     // as the role that owns the database
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/check.h"
#include "db/postgres_database.h"

namespace tallyman::db {

// The private server. It ends when its standard input does, and so with this process.
class TestPostgresServer {
 public:
  static TestPostgresServer& instance() {
    static TestPostgresServer server;
    return server;
  }
  // Of the superuser, to the database `postgres`.
  const std::string& url() const { return url_; }

  // Of the role, to a database.
  std::string url(const std::string& database, const std::string& role) const {
    const std::size_t host = url_.find('?');
    return "postgresql://" + role + "@/" + database + url_.substr(host);
  }

  std::string create_database() {
    const std::string name = "test_" + std::to_string(++databases_);
    sql(url_, "CREATE DATABASE " + name + " OWNER app");
    return name;
  }

  static void sql(const std::string& url, const std::string& statements) {
    auto connection = PostgresConnection::open({.url = url});
    CHECK(connection.ok());
    const auto done = connection.value()->exec(statements);
    if (!done.ok()) std::fprintf(stderr, "%s\n", done.error().message.c_str());
    CHECK(done.ok());
  }

 private:
  TestPostgresServer() {
    std::array<int, 2> to_server{};
    std::array<int, 2> from_server{};
    CHECK(pipe2(to_server.data(), O_CLOEXEC) == 0);
    CHECK(pipe2(from_server.data(), O_CLOEXEC) == 0);
    if (fork() == 0) {
      dup2(to_server[0], 0);
      dup2(from_server[1], 1);
      execl("/usr/bin/python3", "python3", "-B",
            SOURCE_DIR "/../tests/support/postgres.py", nullptr);
      _exit(127);
    }
    close(to_server[0]);
    close(from_server[1]);
    stdin_ = to_server[1];  // Open as long as we live.
    char c = 0;
    while (read(from_server[0], &c, 1) == 1 && c != '\n') url_ += c;
    close(from_server[0]);
    CHECK(!url_.empty());
  }

  int stdin_ = -1;
  int databases_ = 0;
  std::string url_;
};

class TemporaryPostgres {
 public:
  explicit TemporaryPostgres(PostgresOptions options = {})
      : options_(std::move(options)) {
    name_ = server().create_database();
    options_.url = server().url(name_, "app");
    reopen();
  }

  PostgresDatabase& operator*() { return *database_; }
  PostgresDatabase* operator->() { return database_.get(); }
  const std::string& url() const { return options_.url; }
  std::string superuser_url() const { return server().url(name_, "postgres"); }

  // All connections anew, as a new process would have them. REQUIRES: no transaction.
  void reopen() {
    database_.reset();
    auto opened = PostgresDatabase::open(options_);
    CHECK(opened.ok());
    database_ = std::move(opened).value();
  }

  void sql(const std::string& statements) const {
    TestPostgresServer::sql(url(), statements);
  }

 private:
  static TestPostgresServer& server() { return TestPostgresServer::instance(); }

  PostgresOptions options_;
  std::string name_;
  std::unique_ptr<PostgresDatabase> database_;
};

}  // namespace tallyman::db
