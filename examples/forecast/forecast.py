#!/usr/bin/env python3
"""The steps of the forecast in Python: the same arithmetic as the handlers in Go.

    forecast.py split | fit MODEL | choose | report | publish

Each step reads what lies in the folder $DEED_IN, leaves what it makes in
$DEED_OUT, and is told the rest by $DEED_PARAM_HORIZON, _VALIDATION and _TEST.
It needs nothing but Python 3.8. Numbers are added up in the order of the Go
form, by hand: sum() and statistics.mean() are more exact, so not the same.
"""

import csv
import datetime
import json
import math
import os
import pathlib
import sys

WEEK = 7
MIN_HISTORY = 8 * WEEK
BASELINE, COMBINED, CHOSEN, HINDSIGHT = "naive", "median", "chosen", "hindsight"

IN = pathlib.Path(os.environ.get("DEED_IN", "in"))
OUT = pathlib.Path(os.environ.get("DEED_OUT", "out"))


class Malformed(Exception):
    """An input that does not become right by reading it again."""


# --- the models ----------------------------------------------------------------


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def mean(values):
    total = 0.0
    for v in values:
        total += v
    return total / len(values)


def whole(y):
    return math.floor(max(0.0, y) + 0.5)


def clean(y):
    """Replaces days that are far from the same weekday in the weeks around (a Hampel filter)."""
    usual = [median(y[t % WEEK :: WEEK][max(0, t // WEEK - 3) : t // WEEK + 4]) for t in range(len(y))]
    distance = [abs(v - u) for v, u in zip(y, usual)]
    limit = 3.0 * max(1.4826 * median(distance), 0.5)
    return [u if d > limit else v for v, u, d in zip(y, usual, distance)]


def naive(y, horizon):
    return [y[len(y) - WEEK + h % WEEK] for h in range(horizon)]


def profile(y, horizon):
    n = len(y)
    deviations = [[] for _ in range(WEEK)]
    for week in range(1, 8 + 1):
        days = y[n - week * WEEK : n - (week - 1) * WEEK]
        middle = median(days)
        for d, v in enumerate(days):
            deviations[d].append(v - middle)
    pattern = [median(d) for d in deviations]
    level = median([y[n - WEEK + d] - pattern[d] for d in range(WEEK)])
    return [level + pattern[h % WEEK] for h in range(horizon)]


def winters(y, horizon):
    y, damping = clean(y), 0.9
    level0 = mean(y[: 2 * WEEK])
    season0 = [(y[d] + y[d + WEEK]) / 2 - level0 for d in range(WEEK)]
    least = math.inf
    for alpha in (0.05, 0.1, 0.2, 0.4, 0.6):
        for beta in (0.0, 0.02, 0.1):
            for gamma in (0.02, 0.05, 0.1, 0.2, 0.4):
                level, slope, season, squares = level0, 0.0, season0[:], 0.0
                for t in range(2 * WEEK, len(y)):
                    damped = damping * slope
                    err = y[t] - (level + damped + season[t % WEEK])
                    squares += err * err
                    level += damped + alpha * err
                    slope = damped + beta * alpha * err
                    season[t % WEEK] += gamma * err
                if squares < least:
                    least, best = squares, (level, slope, season)
    level, slope, season = best
    forecast, damped, factor = [], 0.0, 1.0
    for h in range(horizon):
        factor *= damping
        damped += factor
        forecast.append(level + damped * slope + season[(len(y) + h) % WEEK])
    return forecast


def weekdays(y):
    half = WEEK // 2
    total, count = [0.0] * WEEK, [0] * WEEK
    for t in range(half, len(y) - half):
        total[t % WEEK] += y[t] - mean(y[t - half : t + half + 1])
        count[t % WEEK] += 1
    season = [s / c for s, c in zip(total, count)]
    average = mean(season)
    return [s - average for s in season]


def theta(y, horizon):
    y = clean(y)
    n, season = len(y), weekdays(y)
    z = [v - season[t % WEEK] for t, v in enumerate(y)]
    least = math.inf
    for i in range(1, 20):
        a, at, squares = i / 20, z[0], 0.0
        for v in z[1:]:
            err = v - at
            squares += err * err
            at += a * err
        if squares < least:
            least, alpha, level = squares, a, at
    middle, average, up, across = (n - 1) / 2, mean(z), 0.0, 0.0
    for t, v in enumerate(z):
        x = t - middle
        up += x * (v - average)
        across += x * x
    drift = up / across / 2
    lag = (1 - math.pow(1 - alpha, n)) / alpha
    return [level + drift * (h + lag) + season[(n + h) % WEEK] for h in range(horizon)]


MODELS = {"naive": naive, "profile": profile, "winters": winters, "theta": theta}
NAMES = [*MODELS, COMBINED]


# --- the back-test -------------------------------------------------------------


class Plan:
    """How far forecasts reach, and from which days they are made: as the number of days that are known."""

    def __init__(self, days):
        self.horizon, self.validations, self.tests = (
            int(os.environ["DEED_PARAM_" + name]) for name in ("HORIZON", "VALIDATION", "TEST")
        )
        if min(self.horizon, self.validations, self.tests) < 1:
            raise Malformed("horizon, validation and test are numbers from 1 on")
        test = days - self.horizon - (self.tests - 1) * WEEK
        first = test - self.horizon - (self.validations - 1) * WEEK
        if first < MIN_HISTORY:
            raise Malformed(f"{days} days are too few: the first forecast needs {MIN_HISTORY} before it, and would have {max(0, first)}")
        self.validation = [first + i * WEEK for i in range(self.validations)]
        self.test = [test + i * WEEK for i in range(self.tests)]
        self.origins = [*self.validation, *self.test, days]


def error_of(y, origins, forecasts):
    off = flights = 0
    for known, days in zip(origins, forecasts):
        for h, n in enumerate(days):
            off += abs(n - y[known + h])
            flights += y[known + h]
    return off, flights


def sign_test(better, worse):
    n = better + worse
    log = lambda k: math.lgamma(k + 1)
    tail = 0.0
    for k in range(max(better, worse), n + 1):
        tail += math.exp(log(n) - log(k) - log(n - k) - n * math.log(2))
    return min(1.0, 2 * tail)


def signed_rank(differences):
    ranked = sorted((d for d in differences if d), key=abs)
    n, total, ties, i = len(ranked), 0.0, 0.0, 0
    while i < n:
        j = i
        while j < n and abs(ranked[j]) == abs(ranked[i]):
            j += 1
        total += (i + 1 + j) / 2 * sum(d > 0 for d in ranked[i:j])
        ties += (j - i) ** 3 - (j - i)
        i = j
    return (total - n * (n + 1) / 4) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24 - ties / 48) if n else 0.0


def ratio(of, to):
    return of / to if to else 0.0


# --- tables --------------------------------------------------------------------


def lines(name):
    """The lines of all tables of an input, without the header, and the header."""
    header, rows = None, []
    for path in sorted(p for p in (IN / name).rglob("*") if p.is_file()):
        with open(path, newline="", encoding="utf-8") as f:
            table = list(csv.reader(f))
        if not table or any(len(row) != len(table[0]) for row in table):
            raise Malformed(f"{name}, {path.name}: want a header, and lines as long as it")
        if header not in (None, table[0]):
            raise Malformed(f"{name}, {path.name}: its header is not that of the parts before it")
        header = table[0]
        rows += table[1:]
    return header, rows


def number(text):
    if not text.isascii() or not text.isdigit():
        raise Malformed(f"{text!r} is no whole number")
    return int(text)


def read_table(name):
    """The days, and (airport, city, departures) of each series."""
    header, rows = lines(name)
    if header is None:
        return [], []
    if header[:2] != ["airport", "city"] or len(header) < 3:
        raise Malformed(f"{name}: want airport,city and the days")
    first = datetime.date.fromisoformat(header[2])
    if header[2:] != [(first + datetime.timedelta(i)).isoformat() for i in range(len(header) - 2)]:
        raise Malformed(f"{name}: want every day, in order")
    return header[2:], [(row[0], row[1], [number(v) for v in row[2:]]) for row in rows]


def read_forecasts(name):
    """{airport: {model: [(origin, days ahead)]}}"""
    made = {}
    for row in lines(name)[1]:
        made.setdefault(row[0], {}).setdefault(row[1], []).append((row[2], [number(v) for v in row[3:]]))
    return made


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as f:
        csv.writer(f, lineterminator="\n").writerows(rows)


def forecast_header(plan):
    return ["airport", "model", "origin", *range(1, plan.horizon + 1)]


SCORE_HEADER = ["airport", "model", "chosen", "validation_mae", "validation_flights", "test_mae", "test_flights", "scale"]


# --- the steps -----------------------------------------------------------------


def split():
    days, series = read_table("departures")
    if not series:
        raise Malformed("the table has no airport")
    for airport, city, y in series:
        write(OUT / "series" / airport / f"{airport}.csv", [["airport", "city", *days], [airport, city, *y]])


def fit(name):
    """Forecasts the airports of a bucket, each in a file of its own; the bucket may be empty."""
    (OUT / "forecast").mkdir()
    days, series = read_table("series")
    for airport, _, y in series:
        plan = Plan(len(days))
        rows = [forecast_header(plan)]
        for known in plan.origins:
            past = [float(v) for v in y[:known]]
            rows.append([airport, name, days[known - 1], *map(whole, MODELS[name](past, plan.horizon))])
        write(OUT / "forecast" / airport / f"{airport}.csv", rows)


def choose():
    (OUT / "scores").mkdir()
    (OUT / "forecasts").mkdir()
    days, series = read_table("series")
    if not series:
        return
    plan = Plan(len(days))
    made = {name: read_forecasts(name) for name in MODELS}
    for airport, _, y in series:
        of = {}
        for name in MODELS:
            forecasts = made[name].get(airport, {}).get(name, [])
            if [origin for origin, _ in forecasts] != [days[known - 1] for known in plan.origins]:
                raise Malformed(f"{airport} has no forecasts by {name} from each origin")
            of[name] = [ahead for _, ahead in forecasts]
        of[COMBINED] = [[whole(median(day)) for day in zip(*each)] for each in zip(*of.values())]

        # The choice sees the errors of the validation alone; of several that are equal, the first.
        validation = {name: error_of(y, plan.validation, of[name]) for name in NAMES}
        chosen = min(NAMES, key=lambda name: validation[name][0])

        before = plan.test[0]
        scale = sum(abs(y[t] - y[t - WEEK]) for t in range(WEEK, before)) / (before - WEEK)
        scores, forecasts = [SCORE_HEADER], [forecast_header(plan)]
        for name in NAMES:
            numbers = [v / (plan.validations * plan.horizon) for v in validation[name]]
            tested = error_of(y, plan.test, of[name][plan.validations :])
            numbers += [v / (plan.tests * plan.horizon) for v in tested] + [scale]
            scores.append([airport, name, "yes" if name == chosen else "no", *(f"{v:.6f}" for v in numbers)])
            forecasts += [[airport, name, days[known - 1], *ahead] for known, ahead in zip(plan.origins, of[name])]
        write(OUT / "scores" / airport / f"{airport}.csv", scores)
        write(OUT / "forecasts" / airport / f"{airport}.csv", forecasts)


class Study:
    """What the last steps read: the table, and scores and forecasts of all its airports."""

    def __init__(self):
        self.days, self.series = read_table("departures")
        self.plan = Plan(len(self.days))
        self.rows = lines("scores")[1]
        self.forecasts = lines("forecasts")[1]
        self.scores, self.chosen = {}, {}
        for airport, model, chosen, *numbers in self.rows:
            self.scores.setdefault(airport, {})[model] = [float(v) for v in numbers]
            if chosen == "yes":
                self.chosen[airport] = model
        self.ahead = {(a, m, origin): [number(v) for v in days] for a, m, origin, *days in self.forecasts}


def report():
    s = Study()
    write(OUT / "scored" / "scores.csv", [SCORE_HEADER, *s.rows])
    write(OUT / "backtest" / "backtest.csv", [forecast_header(s.plan), *s.forecasts])
    text, improvement = summarize(s)
    (OUT / "summary").mkdir()
    (OUT / "summary" / "summary.txt").write_text(text, encoding="utf-8")
    (OUT / "improvement").write_text(json.dumps(improvement), encoding="utf-8")


def summarize(s):
    sums = {name: [0.0] * 5 + [0, 0] for name in [*NAMES, CHOSEN, HINDSIGHT]}  # …, MASE, how many have one, airports

    def add(name, score):
        total = sums[name]
        for i in range(4):
            total[i] += score[i]
        if score[4]:
            total[4] += score[2] / score[4]
            total[5] += 1

    differences = []
    for airport, _, _ in s.series:
        scores, chosen = s.scores[airport], s.chosen[airport]
        for name in NAMES:
            add(name, scores[name])
        sums[chosen][6] += 1
        add(CHOSEN, scores[chosen])
        add(HINDSIGHT, scores[min(NAMES, key=lambda name: scores[name][2])])
        if scores[chosen][4]:
            differences.append((scores[BASELINE][2] - scores[chosen][2]) / scores[chosen][4])
    sums[CHOSEN][6] = sums[HINDSIGHT][6] = len(s.series)

    days, plan = s.days, s.plan
    out = [
        f"{len(s.series)} airports, {days[0]} to {days[-1]}; forecasts of {plan.horizon} days",
        f"models chosen by {plan.validations} forecasts from {days[plan.validation[0] - 1]} to {days[plan.validation[-1] - 1]}",
        f"and tested by {plan.tests} later ones from {days[plan.test[0] - 1]} to {days[plan.test[-1] - 1]}",
        "",
        "%-9s  %8s  %15s  %9s  %9s" % ("model", "airports", "validation WAPE", "test WAPE", "test MASE"),
    ]
    test, mase = {}, {}
    for name, total in sums.items():
        test[name], mase[name] = ratio(total[2], total[3]), ratio(total[4], total[5])
        validation = "" if name == HINDSIGHT else "%.2f%%" % (100 * ratio(total[0], total[1]))
        out.append("%-9s  %8d  %15s  %8.2f%%  %9.3f" % (name, total[6], validation, 100 * test[name], mase[name]))

    less = lambda of: 1 - of[CHOSEN] / of[BASELINE] if of[BASELINE] else 0.0
    improvement = math.floor(1e4 * less(test) + 0.5) / 1e4
    said = lambda share: "%.1f%% %s" % (100 * abs(share), "higher" if share < 0 else "lower")
    better, worse = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    out += [
        "",
        f"chosen against {BASELINE}: error {said(improvement)} (WAPE), {said(less(mase))} (MASE)",
        "better at %d airports, equal at %d, worse at %d (sign test p = %.2g, signed-rank z = %.2f)"
        % (better, len(differences) - better - worse, worse, sign_test(better, worse), signed_rank(differences)),
    ]
    for known in plan.test:
        origin, off, ours, flights, better, worse = days[known - 1], 0, 0, 0, 0, 0
        for airport, _, y in s.series:
            n, came = error_of(y, [known], [s.ahead[airport, BASELINE, origin]])
            c, _ = error_of(y, [known], [s.ahead[airport, s.chosen[airport], origin]])
            off, ours, flights, better, worse = off + n, ours + c, flights + came, better + (c < n), worse + (c > n)
        out.append(
            "from %s: WAPE %.2f%% instead of %.2f%%; better at %d, worse at %d"
            % (origin, 100 * ratio(ours, flights), 100 * ratio(off, flights), better, worse)
        )
    return "\n".join(out) + "\n", improvement


def publish():
    s = Study()
    last = datetime.date.fromisoformat(s.days[-1])
    rows = [["airport", "city", "model", *((last + datetime.timedelta(h + 1)).isoformat() for h in range(s.plan.horizon))]]
    for airport, city, _ in s.series:
        rows.append([airport, city, s.chosen[airport], *s.ahead[airport, s.chosen[airport], s.days[-1]]])
    write(OUT / "forecast" / "forecast.csv", rows)


STEPS = {"split": split, "fit": fit, "choose": choose, "report": report, "publish": publish}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in STEPS:
        sys.exit(__doc__)
    try:
        STEPS[sys.argv[1]](*sys.argv[2:])
    except (Malformed, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(os.EX_DATAERR)


if __name__ == "__main__":
    main()
