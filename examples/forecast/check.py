#!/usr/bin/env python3
"""Checks a forecast against its data, with none of its code.

    check.py DEPARTURES.csv OUTPUTS [--horizon 14] [--validation 8] [--test 4]

OUTPUTS is the folder that a run of process.yaml or python.yaml wrote. From the
departures, and what was forecast (backtest), it works out again:

  when each forecast was made, so which days it could know
  the naive forecasts, and the medians of all models
  every error, looked up by date, not by position
  which model is best on the validation, and so has to be the one chosen
  that no day of the validation is a day of the test
  the totals that the summary tells, the sign test in whole numbers
  the forecast that was published

It prints what it found, and exits with 1 if anything is wrong.
"""

import argparse
import collections
import csv
import datetime
import fractions
import json
import math
import pathlib
import re
import statistics
import sys

wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)


def table(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def day(text, plus=0):
    return datetime.date.fromisoformat(text) + datetime.timedelta(plus)


def near(a, b, within=1e-6):
    return abs(a - b) <= within


def main():
    parser = argparse.ArgumentParser(description="Checks a forecast against its data.")
    parser.add_argument("departures", type=pathlib.Path)
    parser.add_argument("outputs", type=pathlib.Path)
    parser.add_argument("--horizon", type=int, default=14)
    parser.add_argument("--validation", type=int, default=8)
    parser.add_argument("--test", type=int, default=4)
    args = parser.parse_args()

    came = {}  # (airport, day): flights
    airports, last = {}, None
    for row in table(args.departures):
        airports[row["airport"]] = row["city"]
        for column, value in row.items():
            if column not in ("airport", "city"):
                came[row["airport"], day(column)] = int(value)
                last = max(last or day(column), day(column))

    days = {d for _, d in came}

    # From when: a week apart, backwards from the last day that leaves room for the horizon.
    tested = [last - datetime.timedelta(args.horizon + 7 * i) for i in range(args.test)]
    validated = [min(tested) - datetime.timedelta(args.horizon + 7 * i) for i in range(args.validation)]
    ahead = range(1, args.horizon + 1)
    reach = lambda origins: {o + datetime.timedelta(h) for o in origins for h in ahead}
    check(max(reach(validated)) <= min(tested), "the validation sees days of the test")
    check(max(reach(tested)) == last, "the test does not end with the data")

    said = {}  # (airport, model, origin, day): flights
    for row in table(args.outputs / "backtest"):
        for h in ahead:
            key = row["airport"], row["model"], day(row["origin"]), day(row["origin"], h)
            check(key not in said, f"{key} is forecast twice")
            said[key] = int(row[str(h)])
            check(said[key] >= 0, f"{key} is below zero")
    models = list(dict.fromkeys(m for _, m, _, _ in said))
    check(len(models) >= 3 and "naive" in models, f"there are only the models {models}")
    origins = [*validated, *tested, last]
    want = {(a, m, o, o + datetime.timedelta(h)) for a in airports for m in models for o in origins for h in ahead}
    check(set(said) == want, f"{len(set(said) ^ want)} forecasts are missing, or too many")
    if wrong:
        return

    for a, m, o, d in said:
        if m == "naive":
            same = d
            while same > o:
                same -= datetime.timedelta(7)
            check(said[a, m, o, d] == came[a, same], f"naive says {said[a, m, o, d]} of {a} on {d}, the week before had {came[a, same]}")
        if m == "median":
            middle = statistics.median(said[a, other, o, d] for other in models if other != "median")
            check(said[a, m, o, d] == math.floor(middle + 0.5), f"the median of {a} on {d} is {middle}")

    off = collections.Counter()  # (airport, model, origin): the sum of its errors
    for (a, m, o, d), flights_said in said.items():
        if d <= last:
            off[a, m, o] += abs(flights_said - came[a, d])

    def error(a, m, origins):
        return sum(off[a, m, o] for o in origins)

    def flights(a, origins):
        return sum(came[a, o + datetime.timedelta(h)] for o in origins for h in ahead)

    scores = {(row["airport"], row["model"]): row for row in table(args.outputs / "scored")}
    check(set(scores) == {(a, m) for a in airports for m in models}, "the scores are not those of every airport and model")
    if wrong:
        return
    chosen, scale = {}, {}
    for a in airports:
        errors = {m: error(a, m, validated) for m in models}
        chosen[a] = next(m for m in models if errors[m] == min(errors.values()))
        pairs = [(d, d - datetime.timedelta(7)) for d in days if d <= min(tested) and d - datetime.timedelta(7) in days]
        scale[a] = fractions.Fraction(sum(abs(came[a, d] - came[a, week_before]) for d, week_before in pairs), len(pairs))
        for m in models:
            row = scores[a, m]
            check((row["chosen"] == "yes") == (m == chosen[a]), f"{a}: {m} is {row['chosen']!r}, the validation chooses {chosen[a]}")
            for column, value in (
                ("validation_mae", errors[m] / (args.validation * args.horizon)),
                ("validation_flights", flights(a, validated) / (args.validation * args.horizon)),
                ("test_mae", error(a, m, tested) / (args.test * args.horizon)),
                ("test_flights", flights(a, tested) / (args.test * args.horizon)),
                ("scale", float(scale[a])),
            ):
                check(near(float(row[column]), value), f"{a} by {m}: {column} is {row[column]}, not {value:.6f}")

    # In all.
    every = sum(flights(a, tested) for a in airports)
    wape = lambda pick: sum(error(a, pick(a), tested) for a in airports) / every
    mase = lambda pick: statistics.fmean(error(a, pick(a), tested) / (args.test * args.horizon) / scale[a] for a in airports if scale[a])
    best = lambda a: min(models, key=lambda m: error(a, m, tested))
    rows = {m: (lambda a, m=m: m) for m in models} | {"chosen": chosen.get, "hindsight": best}
    improvement = 1 - wape(chosen.get) / wape(rows["naive"])
    check(near(json.loads((args.outputs / "improvement").read_text()), improvement, 0.000051), f"the improvement is {improvement}")
    summary = (args.outputs / "summary").read_text(encoding="utf-8")
    for name, pick in rows.items():
        line = re.search(rf"^{name} .*?([\d.]+)% +([\d.]+)$", summary, re.M)
        check(line and near(float(line[1]), 100 * wape(pick), 0.0051) and near(float(line[2]), mase(pick), 0.00051),
              f"{name}: WAPE {100 * wape(pick):.2f}%, MASE {mase(pick):.3f}; the summary says {line and line[0]!r}")

    # Airport by airport: signs in whole numbers, ranks by counting.
    differences = [
        fractions.Fraction(error(a, "naive", tested) - error(a, chosen[a], tested), args.test * args.horizon) / scale[a] for a in airports if scale[a]
    ]
    better, worse = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    n, tail = better + worse, sum(math.comb(better + worse, k) for k in range(max(better, worse), better + worse + 1))
    p = min(1.0, float(fractions.Fraction(2 * tail, 2**n)))
    sizes = [round(abs(d), 9) for d in differences if d]
    rank = {s: sum(o < s for o in sizes) + (sum(o == s for o in sizes) + 1) / 2 for s in set(sizes)}
    plus = sum(rank[round(d, 9)] for d in differences if d > 0)
    spread = math.sqrt(sum(rank[s] ** 2 for s in sizes)) / 2
    z = (plus - sum(rank[s] for s in sizes) / 2) / spread if spread else 0.0
    line = re.search(r"better at (\d+) airports, equal at (\d+), worse at (\d+) \(sign test p = (\S+), signed-rank z = (\S+)\)", summary)
    check(line and [int(v) for v in line.groups()[:3]] == [better, len(differences) - n, worse], f"{better} better, {worse} worse; the summary says {line and line[0]!r}")
    check(line and math.isclose(float(line[4]), p, rel_tol=0.06) and near(float(line[5]), z, 0.02), f"p = {p:.3g}, z = {z:.3f}; the summary says {line and line[0]!r}")

    published = {row["airport"]: row for row in table(args.outputs / "forecast")}
    check(set(published) == set(airports), "the published forecast is not of every airport")
    for a in set(published) & set(airports):
        row = published[a]
        check(row["model"] == chosen[a] and row["city"] == airports[a], f"{a} is published by {row['model']}, chosen is {chosen[a]}")
        for h in ahead:
            d = last + datetime.timedelta(h)
            check(int(row[d.isoformat()]) == said[a, chosen[a], last, d], f"{a} on {d} is not what {chosen[a]} said")

    print(f"{len(airports)} airports, {len(models)} models, {len(said)} forecasts of a day; chosen by {len(validated)} origins, tested by {len(tested)}")
    print(f"WAPE {100 * wape(chosen.get):.2f}% instead of {100 * wape(rows['naive']):.2f}%: {100 * improvement:.1f}% less error than naive")
    print(f"better at {better} airports, equal at {len(differences) - n}, worse at {worse}: p = {p:.2g}, z = {z:.2f}")


if __name__ == "__main__":
    main()
    for what in wrong[:20]:
        print("wrong:", what, file=sys.stderr)
    if wrong:
        sys.exit(f"{len(wrong)} things are wrong")
    print("all is right")
