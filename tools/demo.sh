#!/usr/bin/env bash
# demo.sh TALLYMAN [COUNT]: a million records through a job on a new SQLite database.
set -euo pipefail
tallyman=$(realpath "$1")
count=${2:-1000000}
tools=$(dirname "$(realpath "$0")")
folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; }
  rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
say() { printf '\n== %s\n' "$*"; }

say "a database with a table of transactions"
sqlite3 app.db "CREATE TABLE transactions (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  amount DECIMAL(12,2) NOT NULL CHECK (amount > 0),
  transaction_date DATE NOT NULL,
  description VARCHAR(200),
  category VARCHAR(50) NOT NULL,
  external_ref VARCHAR(40) NOT NULL UNIQUE);
CREATE INDEX transactions_account ON transactions (account_id);"
sqlite3 app.db .schema

say "$count records as CSV, 2 in every 1,000 of them bad"
python3 "$tools/make_transactions.py" "$count" 2 >transactions.csv 2>sum.txt
ls -l transactions.csv | awk '{printf "%.1f MB\n", $5 / 1e6}'

say "tallyman serve --database sqlite:app.db --expose transactions"
"$tallyman" serve --database sqlite:app.db --expose transactions --listen 127.0.0.1:0 \
  --log-level warning >server.txt &
server=$!
for _ in $(seq 100); do
  grep -q administrator server.txt && break
  kill -0 "$server"
  sleep 0.1
done
TALLYMAN_URL=$(sed -n 's/^listening on //p' server.txt)
TALLYMAN_TOKEN=$(grep -o 'tly_[A-Za-z0-9_-]*' server.txt)
export TALLYMAN_URL TALLYMAN_TOKEN
sed 's/tly_.*/tly_…/' server.txt

say "tallyman load transactions.csv --resource transactions --operation insert --wait"
code=0
"$tallyman" load transactions.csv --resource transactions --operation insert --wait || code=$?
[ "$code" = 1 ] || { echo "expected exit code 1 (some records failed), got $code"; exit 1; }
job=$("$tallyman" jobs --resource transactions | grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -1)

say "tallyman status"
"$tallyman" status "$job" --resource transactions

say "what failed, with its original text (the first five)"
"$tallyman" results "$job" --resource transactions --outcome failed --output failed.csv
head -6 failed.csv

say "aggregates over exactly this job's rows"
"$tallyman" aggregates "$job" --resource transactions --json \
  '{"total": {"type": "sum", "field": "amount"}, "count": {"type": "count"}, "by_category": {"type": "sum", "field": "amount", "group_by": "category"}}' | tee aggregates.txt

say "the same sum, made another way"
cat sum.txt
grep -q "$(sed 's/0$//; s/\.0$//' sum.txt)" aggregates.txt

say "every record has exactly one outcome"
"$tallyman" results "$job" --resource transactions --output results.csv
lines=$(($(wc -l <results.csv) - 1))
failed=$(($(wc -l <failed.csv) - 1))
rows=$(sqlite3 app.db 'SELECT count(*) FROM transactions')
echo "records $count = outcomes $lines = rows $rows + failed $failed"
[ "$lines" = "$count" ] && [ $((rows + failed)) = "$count" ]

say "done: $rows rows are in app.db, $failed records are in failed.csv with the reason"
