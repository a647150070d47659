#!/usr/bin/env python3
"""Holds the table orders against the API, without anything of the process.

    check.py API DATABASE
"""
import collections
import datetime
import http.client
import json
import subprocess
import sys
import urllib.error
import urllib.request


def get(url):
    for _ in range(20):
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)
        except (OSError, ValueError, http.client.HTTPException) as e:
            last = e
    sys.exit(f"{url}: {last}")


def offered(api):
    orders, cursor = {}, ""
    while True:
        page = get(f"{api}/orders?limit=37&cursor={cursor}")
        if not page["orders"]:
            return orders
        cursor = page["next"]
        for o in page["orders"]:
            placed = datetime.datetime.fromisoformat(o["placed"].replace("Z", "+00:00"))
            orders[o["id"]] = (o["customer"], o["item"], o["cents"], placed.timestamp())


def stored(database):
    query = "SELECT json_build_array(id, customer, item, cents, extract(epoch FROM placed)) FROM orders"
    lines = subprocess.run(["psql", "-XAt", "-c", query, database], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    return [json.loads(line) for line in lines.splitlines()]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    want, rows = offered(sys.argv[1]), stored(sys.argv[2])
    times = collections.Counter(row[0] for row in rows)
    wrong = [f"{n} times order {i}" for i, n in sorted(times.items()) if n > 1]
    wrong += [f"order {i} is missing" for i in sorted(want) if i not in times]
    wrong += [f"order {i} is {row}" for i, *row in rows if i in want and tuple(row) != want[i]]
    if wrong:
        sys.exit("wrong: " + "; ".join(wrong[:10]))
    print(f"{len(rows)} orders, each once, and all {len(want)} of the API among them")
