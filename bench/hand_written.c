/* What a careful programmer would write by hand instead of using a bulk server: prepared
 * statements, ON CONFLICT, 10,000 rows a transaction. The peer of upsert, update and delete.
 *
 *     hand_written insert|upsert|update|delete app.db file.csv
 *
 * The CSV has no quotes. It counts what changed and nothing else: no outcomes, no checks. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_PER_TRANSACTION 10000
#define COLUMNS_MAX 16

static sqlite3 *database;

static void check(int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  fprintf(stderr, "%s\n", sqlite3_errmsg(database));
  exit(1);
}

static void run(const char *sql) { check(sqlite3_exec(database, sql, NULL, NULL, NULL)); }

static const char *statement_of(const char *operation) {
  if (strcmp(operation, "insert") == 0)
    return "INSERT INTO transactions (id, account_id, amount, transaction_date, description, "
           "category, external_ref) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
  if (strcmp(operation, "upsert") == 0)
    return "INSERT INTO transactions (account_id, amount, transaction_date, description, "
           "category, external_ref) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
           "ON CONFLICT (external_ref) DO UPDATE SET account_id = excluded.account_id, "
           "amount = excluded.amount, transaction_date = excluded.transaction_date, "
           "description = excluded.description, category = excluded.category";
  if (strcmp(operation, "update") == 0)
    return "UPDATE transactions SET amount = ?2, description = ?3, category = ?4 WHERE id = ?1";
  if (strcmp(operation, "delete") == 0) return "DELETE FROM transactions WHERE id = ?1";
  fprintf(stderr, "unknown operation\n");
  exit(2);
}

/* Cuts a line at its commas; the number of cells. */
static int split(char *line, size_t length, char **cells, int *sizes) {
  int count = 0;
  char *end = line + length;
  while (1) {
    char *comma = memchr(line, ',', (size_t)(end - line));
    cells[count] = line;
    sizes[count] = (int)((comma ? comma : end) - line);
    ++count;
    if (!comma || count == COLUMNS_MAX) return count;
    line = comma + 1;
  }
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: hand_written insert|upsert|update|delete app.db file.csv\n");
    return 2;
  }
  FILE *file = fopen(argv[3], "r");
  if (!file) {
    perror(argv[3]);
    return 1;
  }
  check(sqlite3_open(argv[2], &database));
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA synchronous = FULL");
  run("PRAGMA cache_size = -65536");
  sqlite3_stmt *statement = NULL;
  check(sqlite3_prepare_v2(database, statement_of(argv[1]), -1, &statement, NULL));

  char *line = NULL;
  size_t room = 0;
  ssize_t length = getline(&line, &room, file); /* The header. */
  long long rows = 0;
  long long changed = 0;
  run("BEGIN IMMEDIATE");
  while ((length = getline(&line, &room, file)) > 0) {
    char *cells[COLUMNS_MAX];
    int sizes[COLUMNS_MAX];
    if (line[length - 1] == '\n') --length;
    const int count = split(line, (size_t)length, cells, sizes);
    for (int i = 0; i < count; ++i)
      check(sqlite3_bind_text(statement, i + 1, cells[i], sizes[i], SQLITE_STATIC));
    check(sqlite3_step(statement));
    check(sqlite3_reset(statement));
    changed += sqlite3_changes(database);
    if (++rows % ROWS_PER_TRANSACTION == 0) {
      run("COMMIT");
      run("BEGIN IMMEDIATE");
    }
  }
  run("COMMIT");
  check(sqlite3_finalize(statement));
  check(sqlite3_close(database));
  printf("%lld rows, %lld changed\n", rows, changed);
  return 0;
}
