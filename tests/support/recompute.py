"""Aggregates, computed another way: with decimal.Decimal over rows read by SQL.

    wanted = standard(database, "people", ids={"1", "2"}, deleted=False)
    wanted["sum.age"] == ({"type": "sum", "field": "age"}, Decimal(91))
"""
import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from support.effect_log import columns_of, key_columns, key_of_id, quoted

AVERAGE_DIGITS = 6  # Past the field's scale.


def standard(database, table, ids, deleted):
    """name -> (definition, value) of every aggregate that a table's numeric columns allow.
    Empty for a table without a primary key."""
    keys = key_columns(database, table)
    if not keys:
        return {}
    named = {key_of_id(text) for text in ids}
    if deleted:
        return {"count": ({"type": "count"}, len(named))}
    rows = _rows(database, table, keys, named)
    wanted = {"count": ({"type": "count"}, len(rows))}
    for name, declared, _ in columns_of(database, table):
        scale = scale_of(declared)
        if scale is None:
            continue
        values = [exact(row[name], scale) for row in rows if row[name] is not None]
        for kind, value in (("sum", total(values)), ("avg", average(values, scale)),
                            ("min", min(values, default=None)),
                            ("max", max(values, default=None)),
                            ("count_distinct", len(set(values)))):
            wanted[f"{kind}.{name}"] = ({"type": kind, "field": name}, value)
    return wanted


def _rows(database, table, keys, named):
    names = [name for name, _, _ in columns_of(database, table)]
    places = [names.index(key) for key in keys]
    selected = ", ".join(quoted(name) for name in names)
    return [dict(zip(names, row))
            for row in database.rows(f"select {selected} from {quoted(table)}")
            if tuple(str(row[place]) for place in places) in named]


def scale_of(declared):
    """Digits after the point: 0 for integers, 2 for decimal(12,2); None where not exact."""
    text = declared.lower()
    if re.search(r"\b(big|small|tiny)?int(eger)?\b", text):
        return 0
    found = re.match(r"\s*(decimal|numeric)\s*\(\s*\d+\s*(,\s*(\d+))?\s*\)", text)
    return int(found.group(3) or 0) if found else None


def exact(stored, scale):
    """A stored number as the decimal of the declared scale that it stands for."""
    if isinstance(stored, (int, Decimal)):
        return Decimal(stored)
    with localcontext() as context:
        context.prec = 60
        return Decimal(repr(stored)).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)


def total(values):
    if not values:
        return None
    with localcontext() as context:
        context.prec = 60
        return sum(values, Decimal(0))


def average(values, scale):
    if not values:
        return None
    with localcontext() as context:
        context.prec = 60
        digits = Decimal(1).scaleb(-(scale + AVERAGE_DIGITS))
        return (sum(values, Decimal(0)) / len(values)).quantize(digits, ROUND_HALF_EVEN)
