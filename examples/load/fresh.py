"""Of a bucket of orders, those that yesterday's list has not, each once; and the list of all that are known now."""
import csv
import os
import pathlib


def records(name):
    for path in sorted(pathlib.Path(os.environ["DEED_IN"], name).rglob("*")):
        if path.is_file():
            with open(path, newline="", encoding="utf-8") as f:
                yield from csv.DictReader(f)


def write(name, columns, rows):
    folder = pathlib.Path(os.environ["DEED_OUT"], name)
    folder.mkdir()
    if rows:  # else there is no part, and nothing to do for who reads it
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as f:
            out = csv.DictWriter(f, columns, lineterminator="\n")
            out.writeheader()
            out.writerows(rows)


known = {r["id"]: {"id": r["id"]} for r in records("known")}
fresh = {r["id"]: r for r in records("rows") if r["id"] not in known}  # pages overlap
write("fresh", list(next(iter(fresh.values()), {})), list(fresh.values()))
write("ids", ["id"], list(known.values()) + [{"id": i} for i in fresh])
