"""driver.py CONFIG: a program with one client of the Python SDK.

Reads commands from standard input, a JSON object a line: {"do": "track", ...}, {"do": "flush"}, {"do": "close"}. Writes
{"what", "value"}: an "answer" to each, and "sent", "dropped", "problem" as the client tells them.
"""

import json
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from novafeed_events import EventsClient

config = json.loads(sys.argv[1])
writing = threading.Lock()


def say(what, value):
    with writing:
        print(json.dumps({"what": what, "value": value}), flush=True)


events = EventsClient(
    config["url"],
    lambda renew: Path(config["token_file"]).read_text(encoding="utf-8"),
    path=config["queue"],
    max_batch_events=config["batch"],
    flush_interval=config["flush_seconds"],
    backoff_base=config["backoff_base"],
    backoff_max=config["backoff_max"],
    request_timeout=config["request_timeout"],
    on_sent=lambda sent: say(
        "sent", {"events": [event.event_id for event in sent.events], "duplicates": sent.duplicates}
    ),
    on_dropped=lambda event, why: say("dropped", {"event_id": event.event_id, "code": why.code}),
    on_problem=lambda problem: say("problem", asdict(problem)),
)
for line in sys.stdin:
    command = json.loads(line)
    if command["do"] == "track":
        say("answer", asdict(events.track(command["type"], command["post_id"], at=command.get("at"))))
    elif command["do"] == "flush":
        say("answer", asdict(events.flush()))
    else:
        say("answer", asdict(events.close(command["deadline"])))
