#!/usr/bin/env python3
"""Computes from the raw logs what process.yaml computes, without anything of it, to check it.

    check.py LOGS        prints all of it as JSON
    check.py LOGS OUT    compares it with the outputs of a run, and says what differs
"""
import collections
import csv
import datetime
import gzip
import hashlib
import io
import json
import pathlib
import re
import sys
import urllib.parse

OWN, PAUSE, TOP = "kitchen.example", 30 * 60, 10
TEXT = r'"((?:\\.|[^"\\])*)"'
LINE = re.compile(r'([^ ]+) [^\[]*\[([^\]]*)\] ' + TEXT + r' ([0-9]{3})(?: ([0-9]+|-))? ' + TEXT + " " + TEXT)


def request(line):
    """The fields of a line; None if it makes no sense."""
    found = LINE.match(line)
    if not found:
        return None
    host, when, asked, status, size, link, agent = found.groups()
    words = asked.split(" ")
    try:
        at = int(datetime.datetime.strptime(when, "%d/%b/%Y:%H:%M:%S %z").timestamp())
    except ValueError:
        return None
    if len(words) < 3 or not words[1].startswith("/"):
        return None
    path = words[1].split("?")[0]
    referrer = urllib.parse.urlsplit(link).hostname or ""
    return {
        "visitor": hashlib.sha256((host + "\n" + agent).encode()).hexdigest()[:12],
        "robot": "bot" in agent.lower(),
        "time": at,
        "path": path,
        "missing": status == "404",
        "bytes": int(size) if size and size != "-" else 0,
        "page": words[0] == "GET" and status in ("200", "304") and not path.startswith("/static/"),
        "referrer": "" if referrer == OWN else referrer,
    }


def sheet(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def compute(logs):
    requests, unreadable = [], []
    for log in sorted(pathlib.Path(logs).glob("*/*.log.gz")):
        for line in gzip.open(log, "rt", encoding="utf-8", newline="\n"):
            found = request(line)
            if found is None:
                unreadable.append(line)
            elif not found["robot"]:
                requests.append(found)

    sessions, last = [], None
    for r in sorted(requests, key=lambda r: (r["visitor"], r["time"])):
        if last is None or last["visitor"] != r["visitor"] or r["time"] - last["end"] >= PAUSE:
            last = {"visitor": r["visitor"], "start": r["time"], "requests": 0, "pages": [], "bytes": 0}
            sessions.append(last)
        last["end"] = r["time"]
        last["requests"] += 1
        last["bytes"] += r["bytes"]
        if r["page"]:
            last["pages"].append(r["path"])
    sessions.sort(key=lambda s: (s["start"], s["visitor"]))

    lists = {"pages": collections.Counter(), "missing": collections.Counter(), "referrers": collections.Counter()}
    for r in requests:
        if r["page"]:
            lists["pages"][r["path"]] += 1
            if r["referrer"]:
                lists["referrers"][r["referrer"]] += 1
        elif r["missing"]:
            lists["missing"][r["path"]] += 1

    iso = lambda at: datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "summary": {
            "sessions": len(sessions),
            "visitors": len({s["visitor"] for s in sessions}),
            "pages": sum(len(s["pages"]) for s in sessions),
            "single": sum(len(s["pages"]) <= 1 for s in sessions),
            "seconds": sum(s["end"] - s["start"] for s in sessions) / max(len(sessions), 1),
        },
        "sessions": sheet(
            ["start", "visitor", "requests", "pages", "seconds", "bytes", "entry", "exit"],
            [
                [iso(s["start"]), s["visitor"], s["requests"], len(s["pages"]), s["end"] - s["start"], s["bytes"], *(s["pages"] and [s["pages"][0], s["pages"][-1]] or ["", ""])]
                for s in sessions
            ],
        ),
        "top": {
            name: sheet(["list", "name", "count"], [[name, *e] for e in sorted(counts.items(), key=lambda e: (-e[1], e[0]))[:TOP]])
            for name, counts in lists.items()
            if counts
        },
        "unreadable": "".join(unreadable),
    }


def compare(want, out):
    """What differs between the outputs of a run and what they should be."""
    texts = {f.relative_to(out).as_posix(): f.read_text() for f in sorted(out.rglob("*")) if f.is_file()}
    for name, text in sorted(texts.items()):
        print(f"{name}: {len(text.splitlines())} lines")
    got = list(texts.values())
    wanted = {"sessions": want["sessions"], "unreadable": want["unreadable"], **{"top " + k: v for k, v in want["top"].items()}}
    differs = [name for name, text in wanted.items() if text and text not in got]
    if not any(text.startswith("{") and json.loads(text) == want["summary"] for text in got):
        differs.append("summary")
    return differs


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    result = compute(sys.argv[1])
    if len(sys.argv) == 2:
        json.dump(result, sys.stdout, indent=1)
    else:
        wrong = compare(result, pathlib.Path(sys.argv[2]))
        if wrong:
            sys.exit("differs: " + ", ".join(wrong))
        print("all of it is as computed from the logs")
