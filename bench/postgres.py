"""A PostgreSQL server to measure on: durable, tuned, reached by its socket; and the peers on it.

    with copy_of("odd", data.odd_csv(1_000_000)) as database:
        seconds = copy(database, data.without_ids_csv(1_000_000))

The private server is started once. What is to be there before is loaded once into a template
database, of which every run gets a copy that was written since the last checkpoint: as it is
right after a load. (After a checkpoint the server writes each page that it touches to its log,
whole and compressed, once; that costs updates of a whole table about as much again.)
"""
import atexit
import concurrent.futures
import contextlib
import pathlib
import re
import subprocess
import tempfile
import time

import data
import machine
from support.database import PostgresDatabase
from support.postgres import PostgresServer

SETTINGS = {"shared_buffers": "2GB", "max_wal_size": "8GB", "wal_compression": "on",
            "autovacuum_naptime": "1min"}
THREE_INDEXES = data.SCHEMA.replace("id               integer primary key",
                                    "id bigserial primary key")
KEY_ALONE = re.sub(r" unique\);.*", ");\n", THREE_INDEXES, flags=re.S)
_server = None
_templates = {}


def server():
    global _server  # pylint: disable=global-statement
    if _server is None:
        _server = PostgresServer(durable=True, **SETTINGS)
        atexit.register(_server.__exit__)
    return _server


def template(name, schema, *files):
    """The name of a database that holds the rows of the files; made once."""
    if name not in _templates:
        database = PostgresDatabase(server().create_database())
        database.execute(schema)
        for file in files:
            copy(database, file)
        database.rows("select setval('transactions_id_seq', (select coalesce(max(id), 0) + 1 "
                      "from transactions), false)")
        database.execute("vacuum analyze transactions")
        _templates[name] = name_of(database)
    return _templates[name]


def name_of(database):
    return re.search(r"/(test_\d+)\?", database.url).group(1)


@contextlib.contextmanager
def copy_of(of):
    """A database that is a copy of a template and goes."""
    server().sql("CHECKPOINT")
    database = PostgresDatabase(server().create_database(of, strategy="wal_log"))
    try:
        yield database
    finally:
        server().sql(f"DROP DATABASE {name_of(database)} WITH (FORCE)")


@contextlib.contextmanager
def bench_server(of, **settings):
    """A running tallyman over a copy of a template."""
    machine.RUNS.mkdir(parents=True, exist_ok=True)
    with copy_of(of) as database, tempfile.TemporaryDirectory(dir=machine.RUNS) as folder:
        if settings.get("payload") == "disk":
            settings["payload_folder"] = folder
        made = machine.Server(over=database, resources={"transactions": None},
                              settings={"log_level": "warning", **settings})
        try:
            yield made.start()
        finally:
            made.close()


# --- The peers --------------------------------------------------------------------------

def psql(database, script):
    """Seconds that psql takes for it."""
    begin = time.monotonic()
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url],
                   input=script, text=True, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def columns_of(path):
    with open(path, encoding="utf-8") as file:
        return file.readline().strip()


def copy(database, path):
    """Seconds of psql's \\copy."""
    return psql(database, f"\\copy transactions ({columns_of(path)}) from '{path}' csv header\n")


def copy_and_upsert(database, path, batch=10_000):
    """What a user would write: COPY to a temporary table, INSERT ... ON CONFLICT from it, in
    transactions of 10,000."""
    columns = columns_of(path)
    assigned = ", ".join(f"{name} = excluded.{name}" for name in columns.split(",")
                         if name != "external_ref")
    return psql(database, f"""
        create temporary table staged (n bigserial, like transactions);
        alter table staged alter id drop not null;
        \\copy staged ({columns}) from '{path}' csv header
        create index on staged (n);
        do $$ begin
          for low in 1..(select max(n) from staged) by {batch} loop
            insert into transactions ({columns}) select {columns} from staged
              where n >= low and n < low + {batch}
              on conflict (external_ref) do update set {assigned};
            commit;
          end loop;
        end $$;
        """)


def pgloader(database, path):
    """Seconds of pgloader with its defaults."""
    socket = re.search(r"host=([^&]+)", database.url).group(1)
    columns = columns_of(path).replace(",", ", ")
    script = pathlib.Path(socket) / "load"
    script.write_text(f"""
        load csv from '{path}' ({columns})
        into postgresql://app@unix:{socket}:5432/{name_of(database)}?tablename=transactions
        target columns ({columns})
        with skip header = 1, fields terminated by ',';
        """, encoding="utf-8")
    begin = time.monotonic()
    ran = subprocess.run(["pgloader", "--quiet", "--root-dir", socket, str(script)], text=True,
                         capture_output=True, check=False)
    seconds = time.monotonic() - begin
    if ran.returncode != 0:
        raise AssertionError(f"pgloader: {ran.stdout}{ran.stderr}")
    return seconds


def binary_chunks(of, folder, records, batch=10_000):
    """Files of a template's rows in COPY's binary form, ids and all, of `batch` rows each."""
    columns = "id, " + columns_of(data.without_ids_csv(records)).replace(",", ", ")
    files = [folder / f"{first}.bin" for first in range(1, records + 1, batch)]
    script = "".join(f"\\copy (select {columns} from transactions where id >= {file.stem} and "
                     f"id < {file.stem} + {batch} order by id) to '{file}' binary\n"
                     for file in files)
    with copy_of(of) as database:
        psql(database, script)
    return columns, files


def bare_copies(database, chunks, connections):
    """Seconds of COPY BINARY with ids, a transaction a file, on several connections at once: what
    the database takes on this machine when nothing else is done."""
    columns, files = chunks
    scripts = ["".join(f"\\copy transactions ({columns}) from '{file}' binary\n"
                       for file in files[place::connections]) for place in range(connections)]
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        begin = time.monotonic()
        list(pool.map(lambda script: psql(database, script), scripts))
        return time.monotonic() - begin
