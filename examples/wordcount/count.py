#!/usr/bin/env python3
"""Counts the words of texts in the plainest way, as a check on the word count.

    count.py [--top N] PATH...

Prints "word<TAB>count" for every word of the files, and of all files below the
folders, at PATH; sorted by the bytes of the word. With --top N it prints the N
most frequent, the most frequent first, those that are equally frequent by word.
A word is a maximal run of ASCII letters, in lower case.
"""

import argparse
import collections
import pathlib
import re
import sys


def files(paths):
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file())
        else:
            yield path


def main():
    parser = argparse.ArgumentParser(description="Counts the words of texts.")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a text, or a folder of texts")
    parser.add_argument("--top", type=int, metavar="N", help="print only the N most frequent words")
    args = parser.parse_args()

    counts = collections.Counter()
    for path in files(args.paths):
        counts.update(re.findall(rb"[a-z]+", path.read_bytes().lower()))

    lines = sorted(counts.items())
    if args.top is not None:
        lines = sorted(lines, key=lambda line: -line[1])[: args.top]
    for word, count in lines:
        sys.stdout.write(f"{word.decode()}\t{count}\n")


if __name__ == "__main__":
    main()
