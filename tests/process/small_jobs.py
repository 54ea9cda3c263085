"""Jobs of three windows and a few records, for tests that run the same job many times.

    server = FaultyServer(SCHEMA, settings=SETTINGS); seed(server)
    job = SmallJob("upsert", run=17)     # job.operation, .body, .options
    seen = job.what_came_of_it(server, job_id)

Two runs of one kind come to the same: what_came_of_it() leaves out what differs by design
(the run's number in its keys, ids that the database makes up).
"""
from support import effect_log

TABLE = "items"
SCHEMA = """
create table items (id integer primary key, sku text not null unique, n integer default 5,
                    amount decimal(10,2), note text);
"""
SETTINGS = {"window_records": 2, "lease_time": "300ms"}
SEEDED = 40

# {r}: the run. Numbers are 10 * run + a digit, so that no run finds what another one wrote.
_LINES = {
    "insert": ["sku,n,amount", "r{r}-1,{r}1,1.50", "r{r}-2,{r}2,2.50", "r{r}-3,bad,3.50",
               "r{r}-1,{r}4,4.50", "r{r}-5,{r}5,5.50", "r{r}-6,{r}6,6.50"],
    "upsert": ["sku,n,amount", "r{r}-1,{r}1,1.50", "s1,{r}2,2.50", "r{r}-1,{r}3,3.50",
               "r{r}-4,bad,4.50", "s1,{r}5,5.50", "r{r}-6,{r}6,6.50"],
    "update": ["id,n,note", "1,{r}1,a", "2,bad,b", "1,{r}3,c", "999999,{r}4,d", "4,{r}5,e",
               "5,{r}6,f"],
    "replace": ["id,sku,n", "1,s1,{r}1", "2,s2,bad", "1,s1,{r}3", "999999,s999999,{r}4",
                "4,s4,{r}5", "5,s1,{r}6"],
    "delete": ["sku", "d{r}-1", "d{r}-2", "d{r}-1", "gone", "d{r}-3", "d{r}-4"],
}
_LINES["atomic"] = [line for line in _LINES["insert"] if "bad" not in line and "{r}4" not in line]
_LINES["atomic"] += ["r{r}-7,{r}7,7.50", "r{r}-8,{r}8,8.50"]
_LINES["atomic refused"] = _LINES["insert"]
_LINES["dry run"] = _LINES["upsert"]
_LINES["first of a key"] = _LINES["upsert"]
_OPERATIONS = {"atomic": "insert", "atomic refused": "insert", "dry run": "upsert",
               "first of a key": "upsert"}
_OPTIONS = {"upsert": {"unique_fields": "sku"}, "delete": {"unique_fields": "sku"},
            "atomic": {"mode": "atomic"}, "atomic refused": {"mode": "atomic"},
            "dry run": {"unique_fields": "sku", "dry_run": "true"},
            "first of a key": {"unique_fields": "sku", "on_duplicate": "first"}}
KINDS = tuple(_LINES)


def seed(server):
    """The rows that are there before, and the effect log over what comes after."""
    connection = server.connect()
    try:
        connection.executemany(
            "insert into items (id, sku, n, amount) values (?, ?, ?, ?)",
            [(n, f"s{n}", n % 7, n / 100) for n in range(1, SEEDED + 1)])
    finally:
        connection.close()
    server.database.go_on_after(TABLE)
    effect_log.install(server.database, TABLE)


class SmallJob:
    def __init__(self, kind, run):
        self.kind, self.run = kind, run
        lines = [line.format(r=run) for line in _LINES[kind]]
        self.body = ("\n".join(lines) + "\n").encode()
        self.records = len(lines) - 1
        self.operation = _OPERATIONS.get(kind, kind)
        self.options = _OPTIONS.get(kind, {})

    def prepare(self, server):
        """The rows that it needs: those that it deletes."""
        if self.kind == "delete":
            server.execute("".join(f"insert into items (sku) values ('d{self.run}-{n}');"
                                   for n in range(1, 5)) +
                           # No effect of a job.
                           "delete from effect_log where effect = 'insert' and "
                           f"row like '%\"d{self.run}-%';")

    def submit(self, api, wait=30):
        """Sends it in one request, which is answered once the job has ended (200). Without
        `wait`: at once (202)."""
        headers = {"Idempotency-Key": f"run-{self.run}"}
        if wait:
            headers["Prefer"] = f"wait={wait}"
        return api.submit(self.operation, TABLE, self.body, headers=headers, **self.options)

    def what_came_of_it(self, server, job):
        """State, counts, every record's outcome, and the rows that the job's keys name."""
        api = server.api()
        status = api.status(TABLE, job).json
        counts = {name: status[name] for name in (
            "state", "total_items", "created_count", "updated_count", "unchanged_count",
            "deleted_count", "error_count", "unprocessed_count", "verified")}
        outcomes = [(row["_record"], row["_outcome"], bool(row["_id"]), row["_error_code"],
                     row["_error_field"]) for row in api.results(TABLE, job)]
        api.close()
        rows = server.rows(
            "select replace(sku, ?, '-'), n % 10, amount, note from items where sku like ? or "
            "sku like ? or n / 10 = ? order by sku",
            (f"{self.run}-", f"r{self.run}-%", f"d{self.run}-%", self.run))
        return {"counts": counts, "outcomes": outcomes, "rows": rows}
