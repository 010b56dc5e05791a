"""Adds up the orders of each customer: reads orders.csv, writes out/report.csv."""

import csv
from collections import Counter
from pathlib import Path


def main():
    with Path("orders.csv").open(newline="", encoding="utf-8") as file:
        totals = Counter()
        for row in csv.DictReader(file):
            totals[row["customer"]] += int(row["cents"])
    Path("out").mkdir(exist_ok=True)
    with Path("out/report.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["customer", "cents"])
        lines.writerows(sorted(totals.items()))


if __name__ == "__main__":
    main()
