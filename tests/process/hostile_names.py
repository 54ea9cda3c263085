"""Names that no sane person gives to a table or a field, and that a database takes all the same.

    names = generate(2000, chance)      all different, also without case
"""
from support.database import KIND

# PostgreSQL cuts longer ones, and has columns of its own in every table.
BYTES_MAX = 63 if KIND == "postgresql" else 1000
TAKEN = ({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"} if KIND == "postgresql" else set())
RESERVED = """select insert update delete from where table order group by having values null index
    primary unique default check references constraint create drop alter transaction commit
    rollback savepoint release trigger begin end pragma attach union all distinct limit offset
    rowid oid _rowid_ abs sum count glob like match regexp case when then else cast collate exists
    true false current_timestamp excluded new old main temp strict generated always data id
    _record _outcome _id _error _error_code _error_field _original _parent_record
    unique_fields update_fields aggregates operation constructor __proto__ toString""".split()
KNOWN = ['a";--', "a';--", 'a"', '"', '""', '"""', "'", "''", "`", "[", "]", "[a]", "a]b", "a`b",
         '"; drop table victims; --', "'; drop table victims; --", "x); drop table victims; --",
         "/* a", "a */", "--", "-- ", ";", "a;b", "a.b", ".", "..", "...", "../../etc/passwd", "/",
         "//", "a/b", "\\", "\\\\", "a\\", "C:\\x", "%", "%s", "%00", "%2e%2e", "%n%n", "100%", "_", "*",
         "?", "?1", ":a", "@a", "$a", "#", "&", "a&b=c", "a=b", "a+b", "a b", " a", "a ", " ", "  ",
         "\t", "a\tb", "\n", "a\nb", "a\r\nb", "\r", "1", "01", "1e5", "0x10", "-1", "+1", "1.5",
         "x__startswith", "x__in", "x__gt", "sku__icontains", "{}", "{0}", "{resource}", "${x}",
         "{{x}}", "$(id)", "`id`", "|", "<b>", "<script>", "a,b", ",", ",,", "=1+1", "@SUM(1)",
         "ä", "Ä", "ß", "ẞ", "İ", "ı", "é", "e\u0301", "日本語", "имя", "שם", "اسم", "😀", "👩‍👩‍👧",
         "\u00a0", "\u200b", "a\u200bb", "\u202eabc", "\ufeffa", "\u2028", "\x7f", "\x01", "\x1b[31m",
         "a" * 63, "b" * 64, "ü" * 32, "c" * 400, "tallyman", "tallyman_", "TALLYMAN_JOB",
         "tallyman_job", "sqlite", "sqlitemaster"]
PIECES = ['"', "'", "`", "[", "]", ";", "--", "/*", "*/", "%", "_", ".", "..", " ", "\n", "\t", "\\",
          "/", "$", "?1", ":a", "@", "{", "}", "(", ")", ",", "&", "=", "+", "#", "<", ">", "|", "~",
          "ü", "日", "😀", "\u0301", "\u200d", "x__startswith", "0", "17", "null", "select", "drop table",
          "a", "b", "Z", "union all", "or 1=1", "%27", "\\u0000", "\\x00"]


def generate(count, chance):
    names, seen = [], set()

    def take(name):
        if name and len(name.encode()) <= BYTES_MAX and folded(name) not in seen | TAKEN:
            seen.add(folded(name))
            names.append(name)
    for name in [*RESERVED, *KNOWN]:
        take(name)
    while len(names) < count:
        take("".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 9))))
    return names[:count]


def folded(name):
    """As SQLite compares names: without the case of ASCII letters alone."""
    return "".join(chr(ord(sign) + 32) if "A" <= sign <= "Z" else sign for sign in name)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'
