"""The files that are measured: made-up transactions, the same bytes every time.

    csv = data.insert_csv(1_000_000)      # made once, kept under build/bench-data

The columns are those of a bank's transactions; a million of them are about 97 MB of CSV.
"""
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench-data"

SCHEMA = """
create table transactions (
  id               integer primary key,
  account_id       integer not null,
  amount           numeric(12,2) not null,
  transaction_date date not null,
  description      varchar(200),
  category         varchar(50),
  external_ref     varchar(40) not null unique);
create index transactions_account on transactions (account_id);
"""
COLUMNS = ("id", "account_id", "amount", "transaction_date", "description", "category",
           "external_ref")
CATEGORIES = ("Food", "Transportation", "Rent", "Utilities", "Travel", "Health")
LINES_AT_ONCE = 20_000
SHUFFLE = 617_039  # A prime that divides none of the counts: a step through all the rows.


def record(number, shift=0):
    """The values of one transaction as text. `shift` makes another amount of the same row."""
    cents = ((number + shift) * 7919) % 1_000_000_0 + 1
    return (str(number), str(number * 31 % 10_000 + 1), f"{cents // 100}.{cents % 100:02d}",
            f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
            f"Payment number {number} of the year", CATEGORIES[number % 6],
            f"REF-{number:012d}")


def _file(name, lines):
    """The file of that name, made of `lines` (bytes come in order) where it is not there."""
    path = FOLDER / name
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "w", encoding="utf-8", newline="") as file:
        kept = []
        for line in lines:
            kept.append(line)
            if len(kept) == LINES_AT_ONCE:
                file.write("".join(kept))
                kept.clear()
        file.write("".join(kept))
    unfinished.rename(path)
    return path


def _csv(columns, rows):
    yield ",".join(columns) + "\n"
    for row in rows:
        yield ",".join(row) + "\n"


def insert_csv(count, first=1):
    """Transactions `first` to `first + count - 1`, with their ids."""
    return _file(f"insert-{first}-{count}.csv",
                 _csv(COLUMNS, (record(n) for n in range(first, first + count))))


def without_ids_csv(count):
    return _file(f"without-ids-{count}.csv",
                 _csv(COLUMNS[1:], (record(n)[1:] for n in range(1, count + 1))))


def insert_ndjson(count):
    return _file(f"insert-{count}.ndjson", (_object(n) + "\n" for n in range(1, count + 1)))


def insert_json(count):
    def lines():
        for n in range(1, count + 1):
            yield ("[\n " if n == 1 else ",\n ") + _object(n)
        yield "\n]\n"
    return _file(f"insert-{count}.json", lines())


def _object(number):
    row = record(number)
    numbers = f'"id": {row[0]}, "account_id": {row[1]}, "amount": {row[2]}, '
    rest = ", ".join(f'"{name}": {json.dumps(value)}'
                     for name, value in zip(COLUMNS[3:], row[3:]))
    return "{" + numbers + rest + "}"


def bad_csv(count):
    """In every 1,000 records 5 whose account is no number, and 5 whose reference an earlier
    one has."""
    def rows():
        for n in range(1, count + 1):
            row = list(record(n))
            if n % 200 == 17:
                row[1] = "unknown"
            elif n % 200 == 117:
                row[6] = record(n - 50)[6]
            yield row
    return _file(f"bad-{count}.csv", _csv(COLUMNS, rows()))


def upsert_csv(count):
    """Without ids, by reference; of every two neighbours one is new where the table holds
    `odd_csv(count)`."""
    return _file(f"upsert-{count}.csv",
                 _csv(COLUMNS[1:], (record(n, shift=1)[1:] for n in range(1, count + 1))))


def odd_csv(count):
    return _file(f"odd-{count}.csv",
                 _csv(COLUMNS, (record(n) for n in range(1, count + 1, 2))))


def update_csv(count):
    """Another amount, description and category of every row, by id."""
    def rows():
        for n in range(1, count + 1):
            row = record(n, shift=1)
            yield (row[0], row[2], row[4].replace("Payment", "Revised"), row[5])
    return _file(f"update-{count}.csv",
                 _csv(("id", "amount", "description", "category"), rows()))


def shuffled_update_csv(count):
    """The same, every row once, in no order that the table knows."""
    def rows():
        for place in range(count):
            row = record(place * SHUFFLE % count + 1, shift=1)
            yield (row[0], row[2], row[4].replace("Payment", "Revised"), row[5])
    return _file(f"shuffled-update-{count}.csv",
                 _csv(("id", "amount", "description", "category"), rows()))


def delete_csv(count):
    return _file(f"delete-{count}.csv", _csv(("id",), ((str(n),) for n in range(1, count + 1))))
