"""Revenue per day: revenue_old.py IN.csv OUT.json"""

import csv
import json
import sys
from pathlib import Path

days, rows = {}, 0
with Path(sys.argv[1]).open(newline="") as lines:
    for row in csv.DictReader(lines):
        rows += 1
        cents = int(row["quantity"]) * round(float(row["price"]) * 100)
        days[row["day"]] = days.get(row["day"], 0) + cents
revenue = {day: cents / 100 for day, cents in sorted(days.items())}
Path(sys.argv[2]).write_text(json.dumps({"rows": rows, "revenue": revenue}, indent=1))
