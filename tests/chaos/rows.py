"""Turns `sharewise records --json` into the rows a fault harness compares: {"key": case, "content": decision|reasons}."""

import json
import sys

for line in sys.stdin:
    record = json.loads(line)
    content = record["content"]
    row = {"key": content["case_reference"], "content": f"{record['decision']}|{content['reasons']}"}
    print(json.dumps(row))
