#!/usr/bin/python3
"""A database that Django made, as it is: its types, constraints and sequences take a job, and
Django reads back what was written."""
import datetime
import decimal
import json
import pathlib
import re
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.server import Server  # noqa: E402


def connect_django(url):
    """Django's models of a shop, made in the database."""
    import django
    from django.conf import settings as django_settings
    name, folder = re.search(r"/(test_\d+)\?host=([^&]+)", url).groups()
    django_settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": name,
                               "USER": "app", "HOST": folder, "PORT": "5432"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True, TIME_ZONE="Europe/Berlin")
    django.setup()
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    from django.db import connection, models
    from django.contrib.postgres.fields import ArrayField, DateTimeRangeField

    class Shop(models.Model):
        name = models.CharField(max_length=40, unique=True)

        class Meta:
            app_label = "shop"

    class Kind(models.TextChoices):
        FOOD = "F", "Food"
        RENT = "R", "Rent"

    class Order(models.Model):
        shop = models.ForeignKey(Shop, on_delete=models.PROTECT)
        number = models.PositiveIntegerField()
        small = models.SmallIntegerField(default=1)
        amount = models.DecimalField(max_digits=12, decimal_places=2)
        rate = models.FloatField(null=True)
        kind = models.CharField(max_length=1, choices=Kind.choices)
        note = models.TextField(blank=True)
        mail = models.EmailField(null=True)
        paid = models.BooleanField(default=False)
        day = models.DateField()
        at = models.DateTimeField()
        clock = models.TimeField(null=True)
        took = models.DurationField(null=True)
        reference = models.UUIDField(unique=True)
        extra = models.JSONField(null=True)
        address = models.GenericIPAddressField(null=True)
        raw = models.BinaryField(null=True)
        words = ArrayField(models.CharField(max_length=8), null=True)
        during = DateTimeRangeField(null=True)

        class Meta:
            app_label = "shop"
            unique_together = [("shop", "number")]
            indexes = [models.Index(fields=["day", "kind"])]
            constraints = [
                models.CheckConstraint(check=models.Q(amount__gte=0), name="not_negative"),
                models.UniqueConstraint(fields=["mail"], condition=models.Q(paid=True),
                                        name="one_paid")]

    with connection.schema_editor() as editor:
        editor.create_model(Shop)
        editor.create_model(Order)
    return Shop, Order


COLUMNS = ("shop_id,number,small,amount,rate,kind,note,mail,paid,day,at,clock,took,reference,extra,"
           "address,raw,words,during")
UUIDS = [uuid.UUID(int=number) for number in range(1, 12)]
GOOD = [
    f'1,1,-3,12.50,0.25,F,"a, b",a@b.c,true,2024-02-29,2024-02-29T12:30:00+01:00,23:59:59,'
    f'1 day 02:03:04,{UUIDS[0]},"{{""a"": [1, null]}}",192.168.0.1,\\x00ff,"{{x,y}}",',
    f'1,2,7,0,,R,"",,false,1999-12-31,1999-12-31T23:59:59.123456Z,,,{UUIDS[1]},,::1,,,'
    '"[2024-01-01 00:00:00+00,2024-02-01 00:00:00+00)"']
BAD = [
    (f"999,3,1,1,,F,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[2]},,,,,",
     "FOREIGN_KEY_VIOLATION"),
    (f"1,-4,1,1,,F,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[3]},,,,,", "CHECK_VIOLATION"),
    (f"1,5,1,-1,,F,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[4]},,,,,", "CHECK_VIOLATION"),
    (f"1,1,1,1,,F,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[5]},,,,,", "DUPLICATE_VALUE"),
    (f"1,6,1,1,,F,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[0]},,,,,", "DUPLICATE_VALUE"),
    (f"1,7,1,1,,F,x,a@b.c,true,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[6]},,,,,",
     "DUPLICATE_VALUE"),
    (f"1,8,1,1,,F,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[7]},,300.1.1.1,,,",
     "INVALID_TYPE"),
    (f"1,9,1,1.005,,F,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[8]},,,,,",
     "VALUE_OUT_OF_RANGE"),
    (f"1,10,40000,1,,F,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[9]},,,,,",
     "VALUE_OUT_OF_RANGE"),
    (f"1,11,1,1,,FR,x,,false,2024-01-01,2024-01-01T00:00:00Z,,,{UUIDS[10]},,,,,",
     "VALUE_TOO_LONG")]


class Django(unittest.TestCase):
    maxDiff = None

    def test_a_schema_of_djangos_works_as_it_is(self):
        server = Server(resources={"orders": ['table = "shop_order"'],
                                   "shops": ['table = "shop_shop"']}, kind="postgresql")
        self.addCleanup(server.close)
        shop, order = connect_django(server.database.url)
        server.start()
        api = server.api()
        made = api.run("insert", "shops", b"name\nfirst\nsecond\nfirst\n")
        self.assertEqual((made["created_count"], made["error_summary"]),
                         (2, {"DUPLICATE_VALUE": 1}), made)
        self.assertEqual([one.name for one in shop.objects.order_by("id")], ["first", "second"])

        # Records that fail took ids, too.
        key = shop.objects.get(name="first").id
        lines = [line.replace("1,", f"{key},", 1) if line.startswith("1,") else line
                 for line in (*GOOD, *(line for line, _ in BAD))]
        body = "\n".join([COLUMNS, *lines]) + "\n"
        status = api.run("insert", "orders", body.encode())
        found = api.results("orders", status["job_id"])
        self.assertEqual([(row["_outcome"], row["_error_code"]) for row in found],
                         [("created", "")] * 2 + [("failed", code) for _, code in BAD])
        self.read_back(order, key, [int(row["_id"]) for row in found[:2]])

        # Django's own writes go on behind ours, by the same sequence.
        mine = order.objects.create(
            shop=shop.objects.get(name="second"), number=1, amount=decimal.Decimal("3.10"), kind="F",
            day=datetime.date(2024, 1, 1), reference=UUIDS[2],
            at=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
        changes = [{"reference": str(UUIDS[2]), "amount": "4.20", "extra": {"b": 1}},
                   {"reference": str(UUIDS[1]), "paid": True}]
        status = api.run("upsert", "orders", "\n".join(map(json.dumps, changes)).encode(), "ndjson",
                         unique_fields="reference")
        self.assertEqual(status["updated_count"], 2, status)
        mine.refresh_from_db()
        self.assertEqual((mine.amount, mine.extra), (decimal.Decimal("4.20"), {"b": 1}))
        total = api.ask_aggregates("orders", status["job_id"],
                                   {"sum": {"type": "sum", "field": "amount"}}).json
        self.assertEqual(total["aggregate_results"]["sum"], decimal.Decimal("4.20"))
        status = api.run("delete", "shops", f"[{key}]".encode(), "json")
        self.assertEqual(status["error_summary"], {"FOREIGN_KEY_VIOLATION": 1}, status)

    def read_back(self, order, shop, keys):
        one, other = (order.objects.get(pk=key) for key in keys)
        utc = datetime.timezone.utc
        self.assertEqual(
            (one.shop_id, one.number, one.small, one.amount, one.rate, one.kind, one.note, one.mail,
             one.paid, one.day, one.at, one.clock, one.took, one.reference, one.extra, one.address,
             bytes(one.raw), one.words, one.during),
            (shop, 1, -3, decimal.Decimal("12.50"), 0.25, "F", "a, b", "a@b.c", True,
             datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 11, 30, tzinfo=utc),
             datetime.time(23, 59, 59), datetime.timedelta(days=1, hours=2, minutes=3, seconds=4),
             UUIDS[0], {"a": [1, None]}, "192.168.0.1", b"\x00\xff", ["x", "y"], None))
        self.assertEqual(
            (other.rate, other.note, other.mail, other.paid, other.at, other.took, other.extra,
             other.address, other.raw, other.words, other.during.lower),
            (None, "", None, False, datetime.datetime(1999, 12, 31, 23, 59, 59, 123456, tzinfo=utc),
             None, None, "::1", None, None, datetime.datetime(2024, 1, 1, tzinfo=utc)))


if __name__ == "__main__":
    unittest.main()
