"""Revenue per day, new version: revenue.py IN.csv OUT.json"""

import csv
import json
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

VERSION = "2.0.0"


def main(arguments):
    if arguments == ["--version"]:
        sys.stdout.write(json.dumps({"version": VERSION}))
        return
    orders, out = map(Path, arguments)
    cents, rows = Counter(), 0
    with orders.open(newline="") as lines:
        for row in csv.DictReader(lines):
            rows += 1
            cents[row["day"]] += int(int(row["quantity"]) * Decimal(row["price"]) * 100)
    out.parent.mkdir(parents=True, exist_ok=True)
    revenue = {day: sum_ / 100 for day, sum_ in sorted(cents.items())}
    out.write_text(json.dumps({"rows": rows, "revenue": revenue}, indent=1))


main(sys.argv[1:])
