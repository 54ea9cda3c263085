"""Uploads for the fault tests: one table, and bodies for every operation with a few bad records.

    work = Workload(random.Random(seed))
    server = Server(schema=SCHEMA, ...); work.seed(server); server.prepare()
    upload = work.upload("upsert")       # upload.operation, .options, .body, .records
"""
import random
from dataclasses import dataclass, field

from support import effect_log

TABLE = "items"
SCHEMA = """
create table items (id integer primary key, sku text not null unique, n integer default 5,
                    amount decimal(10,2), note text);
"""
KINDS = ("insert", "upsert", "update", "replace", "delete", "atomic")
SEEDED = 3000


@dataclass
class Upload:
    kind: str
    operation: str
    body: bytes
    records: int
    options: dict = field(default_factory=dict)
    ends_as: str = "Job Complete"


class Workload:
    def __init__(self, chance: random.Random, records=600):
        """`chance` decides everything: the same seed makes the same uploads."""
        self.chance, self.records = chance, records
        self.made = 0

    def seed(self, server):
        """The rows that are there before, and the effect log over what comes after."""
        connection = server.connect()
        try:
            connection.execute("begin")
            connection.executemany(
                "insert into items (id, sku, n, amount) values (?, ?, ?, ?)",
                [(n, f"s{n}", n % 7, n / 100) for n in range(1, SEEDED + 1)])
            connection.execute("commit")
        finally:
            connection.close()
        server.database.go_on_after(TABLE)
        effect_log.install(server.database, TABLE)

    def upload(self, kind):
        self.made += 1
        lines = getattr(self, f"_{kind}")()
        operation = "insert" if kind == "atomic" else kind
        options = {"unique_fields": "sku"} if kind == "upsert" else {}
        ends_as = "Job Complete"
        if kind == "atomic":
            options = {"mode": "atomic"}
            if self.made % 2:
                ends_as = "Failed"
            else:
                lines = [line for line in lines if ",bad," not in line]
        body = ("\n".join(lines) + "\n").encode()
        return Upload(kind, operation, body, len(lines) - 1, options, ends_as)

    def _cents(self):
        return f"{self.chance.randrange(10_000_00) / 100:.2f}"

    def _insert(self):
        lines = ["sku,n,amount"]
        for n in range(self.records):
            sku = f"i{self.made}-{n}"
            if self.chance.random() < 0.02:
                sku = f"s{self.chance.randrange(1, 50)}"  # Mostly taken.
            number = "bad" if n == self.records // 2 else n
            lines.append(f"{sku},{number},{self._cents()}")
        return lines

    def _atomic(self):
        lines = ["sku,n,amount"]
        for n in range(self.records):
            number = "bad" if n == self.records - 3 else n
            lines.append(f"a{self.made}-{n},{number},{self._cents()}")
        return lines

    def _upsert(self):
        lines = ["sku,n,amount"]
        for n in range(self.records):
            fresh = f"u{self.made}-{self.chance.randrange(self.records)}"
            known = f"s{self.chance.randrange(1, SEEDED + 1)}"
            number = "bad" if self.chance.random() < 0.01 else n
            lines.append(f"{self.chance.choice((fresh, known))},{number},{self._cents()}")
        return lines

    def _update(self):
        lines = ["id,n,note"]
        for n in range(self.records):
            key = self.chance.randrange(1, SEEDED + 60)  # A few are not there.
            lines.append(f"{key},{n},u{self.made}")
        return lines

    def _replace(self):
        lines = ["id,sku,amount"]
        for _ in range(self.records):
            key = self.chance.randrange(1, SEEDED + 60)
            lines.append(f"{key},s{key},{self._cents()}")
        return lines

    def _delete(self):
        # Some of the table at a time, and ids that are gone already.
        return ["id"] + [str(self.chance.randrange(1, SEEDED + 60))
                         for _ in range(self.records)]

