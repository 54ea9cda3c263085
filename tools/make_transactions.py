#!/usr/bin/env python3
"""Writes COUNT made-up transactions as CSV: make_transactions.py COUNT [BAD] > file.

The same numbers give the same bytes. BAD records in every 1,000 have an amount that is no
number. The last line on standard error is the exact sum of the good ones' amounts, summed
as whole cents."""
import random
import sys

COUNT = int(sys.argv[1])
BAD = int(sys.argv[2]) if len(sys.argv) > 2 else 0
CATEGORIES = ["Food", "Transportation", "Rent", "Utilities", "Travel", "Health"]

random.seed(20240115)
out = sys.stdout
out.write("account_id,amount,transaction_date,description,category,external_ref\n")
cents_total = 0
lines = []
for number in range(1, COUNT + 1):
    cents = random.randrange(1, 10_000_000)
    amount = f"{cents // 100}.{cents % 100:02d}"
    if number % 1000 < BAD:
        amount = "unknown"
    else:
        cents_total += cents
    lines.append(
        f"{random.randrange(1, 10001)},{amount},2024-{number % 12 + 1:02d}-"
        f"{number % 28 + 1:02d},Payment number {number} of the year,"
        f"{CATEGORIES[number % 6]},REF-{number:012d}\n")
    if len(lines) == 10_000:
        out.writelines(lines)
        lines.clear()
out.writelines(lines)
sys.stderr.write(f"{cents_total // 100}.{cents_total % 100:02d}\n")
