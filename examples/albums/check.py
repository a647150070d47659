#!/usr/bin/env python3
"""Holds what a run of process.yaml wrote against the photos, without anything of its code.

    check.py PHOTOS OUT [SIDE [COLUMNS]]

Sizes are read from the files themselves, and of the sheets every pixel: PNG is expanded here.
"""
import pathlib
import struct
import sys
import zlib

GAP, PAPER = 8, bytes([244, 241, 234])


def chunks(data):
    """The parts of a PNG file."""
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body, (crc,) = data[at + 8 : at + 8 + length], struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        if zlib.crc32(kind + body) != crc:
            raise ValueError("a part of it is damaged")
        yield kind, body
        at += 12 + length


def size(path):
    """Width and height of a photo; None if the file is no whole one."""
    data = path.read_bytes()
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return struct.unpack(">II", data[16:24])
    if not data.startswith(b"\xff\xd8") or not data.endswith(b"\xff\xd9"):
        return None
    at = 2
    while at < len(data):
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker in (0xC0, 0xC1, 0xC2):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None


def pixels(path):
    """Width, height and the rows of a PNG file, as bytes of red, green and blue."""
    parts = list(chunks(path.read_bytes()))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", parts[0][1])
    if depth != 8 or kind not in (2, 6) or interlaced:
        raise ValueError("not the kind of PNG that a sheet is")
    n = 3 if kind == 2 else 4
    raw = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    rows, above = [], bytes(width * n)
    for y in range(height):
        at = y * (width * n + 1)
        how, line = raw[at], bytearray(raw[at + 1 : at + 1 + width * n])
        for i in range(len(line)):
            left = line[i - n] if i >= n else 0
            corner = above[i - n] if i >= n else 0
            if how == 1:
                line[i] = (line[i] + left) & 255
            elif how == 2:
                line[i] = (line[i] + above[i]) & 255
            elif how == 3:
                line[i] = (line[i] + (left + above[i]) // 2) & 255
            elif how == 4:
                p = left + above[i] - corner
                near = min((abs(p - left), 0, left), (abs(p - above[i]), 1, above[i]), (abs(p - corner), 2, corner))
                line[i] = (line[i] + near[2]) & 255
        above = bytes(line)
        rows.append(above if n == 3 else b"".join(above[i : i + 3] for i in range(0, len(above), 4)))
    return width, height, rows


def fit(wh, side):
    long = max(wh)
    return wh if long <= side else tuple(max(1, (v * side + long // 2) // long) for v in wh)


def check(photos, out, side, columns):
    wrong, shown = [], 0
    albums = sorted(d.name for d in photos.iterdir() if d.is_dir())
    for album in albums:
        found = {p.stem: size(p) for p in sorted((photos / album).iterdir())}
        whole = {name: fit(wh, side) for name, wh in found.items() if wh}
        if len(found) - len(whole) > len(found) // 2:
            if (out / "small" / album).exists() or (out / "sheets" / album).exists():
                wrong.append(f"{album}: most of it cannot be read, and there is something of it")
            print(f"{album}: nothing to show")
            continue
        small = {p.stem: size(p) for p in (out / "small" / album).glob("*")}
        if small != whole:
            wrong.append(f"{album}: small pictures are {small}, and should be {whole}")
        sheet = list((out / "sheets" / album).glob("*"))
        if len(sheet) != 1:
            wrong.append(f"{album}: it has {len(sheet)} sheets")
            continue
        width, height, rows = pixels(sheet[0])
        across = min(columns, len(whole))
        down = -(-len(whole) // across)
        if (width, height) != (GAP + across * (side + GAP), GAP + down * (side + GAP)):
            wrong.append(f"{album}: the sheet is {width} by {height}")
            continue
        for i in range(across * down):
            x, y = GAP + i % across * (side + GAP), GAP + i // across * (side + GAP)
            want = list(whole.values())[i] if i < len(whole) else (0, 0)
            used = [
                (x + at // 3 - x, row)
                for row in range(y, y + side)
                for at in range(0, 3 * side, 3)
                if rows[row][3 * x + at : 3 * x + at + 3] != PAPER
            ]
            box = (max(u[0] for u in used) - min(u[0] for u in used) + 1, max(u[1] for u in used) - min(u[1] for u in used) + 1) if used else (0, 0)
            if box != tuple(want):
                wrong.append(f"{album}: place {i + 1} of the sheet has a picture of {box}, and should have one of {want}")
        shown += len(whole)
        print(f"{album}: {len(whole)} of {len(found)} photos, on a sheet of {width} by {height}")
    extra = {p.name for p in (out / "sheets").glob("*")} - set(albums)
    if extra:
        wrong.append(f"there are sheets of {sorted(extra)}, which are no albums")
    page = "".join(p.read_text() for p in ([out / "page"] if (out / "page").is_file() else (out / "page").glob("*")))
    if page.count("<img") != len(list((out / "sheets").glob("*"))):
        wrong.append("the page does not show every sheet")
    return wrong, shown


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4, 5):
        sys.exit(__doc__)
    side, columns = [int(a) for a in sys.argv[3:]] + [160, 4][len(sys.argv) - 3 :]
    wrong, shown = check(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), side, columns)
    if wrong:
        sys.exit("wrong: " + "\n".join(wrong))
    print(f"all {shown} photos that can be read are where they belong")
