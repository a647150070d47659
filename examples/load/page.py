"""Fetches one page of orders: CSV to $DEED_OUT/rows, nothing there if the page is empty, and the next cursor."""
import csv
import http.client
import json
import os
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

COLUMNS = ["id", "customer", "item", "cents", "placed"]
LATER, NEVER = 75, 65


def main():
    cursors = [json.loads(f.read_text()) for f in pathlib.Path(os.environ["DEED_IN"], "cursor").iterdir()]
    query = {"cursor": cursors[0] if cursors else "", "limit": os.environ["DEED_PARAM_PAGE"]}
    url = os.environ["DEED_PARAM_API"] + "/orders?" + urllib.parse.urlencode(query)
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            page = json.load(answer)
    except urllib.error.HTTPError as e:
        print(f"{url}: {e.code} {e.reason}: {e.read(200).decode(errors='replace').strip()}", file=sys.stderr)
        sys.exit(NEVER if 400 <= e.code < 500 and e.code not in (408, 429) else LATER)
    except (OSError, ValueError, http.client.HTTPException) as e:  # not reached, or not to its end
        print(f"{url}: {e}", file=sys.stderr)
        sys.exit(LATER)

    out = pathlib.Path(os.environ["DEED_OUT"])
    (out / "rows").mkdir()
    if page["orders"]:
        with open(out / "rows" / "orders.csv", "w", newline="", encoding="utf-8") as f:
            rows = csv.DictWriter(f, COLUMNS, lineterminator="\n")
            rows.writeheader()
            rows.writerows(page["orders"])
    (out / "next").write_text(json.dumps(page["next"]))


if __name__ == "__main__":
    main()
