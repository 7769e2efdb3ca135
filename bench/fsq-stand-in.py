#!/usr/bin/env python3
"""fsq-stand-in.py enqueue|scan QUEUE COUNT SYNC: what fsq 0.2.5 does for each item, which needs Python 2, and nothing else.

SYNC: `none`; `content` of items that are added, as the original does; `names` too, as ours does: those of items that are done
for 256 together. Prints one line of JSON.
"""

import fcntl
import json
import os
import sys
import time

what, queue, count, sync = sys.argv[1:]
waiting, tmp, done = (queue + "/" + room for room in ("queue", "tmp", "done"))
rooms = [os.open(done, os.O_DIRECTORY), os.open(waiting, os.O_DIRECTORY)]
items = 0
began = time.perf_counter()


def sync_names():
    if sync == "names":
        for room in rooms:
            os.fsync(room)


if what == "enqueue":
    for items in range(1, int(count) + 1):
        name = time.strftime("/_%Y%m%d%H%M%S") + f"_{items}_{os.getpid()}_host_0_{items}"
        item = os.open(tmp + name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        os.write(item, b"payload\n")
        if sync != "none":
            os.fsync(item)
        os.close(item)
        os.link(tmp + name, waiting + name)
        os.unlink(tmp + name)
        if sync == "names":
            os.fsync(rooms[1])
else:
    for name in sorted(os.listdir(waiting)):
        if os.path.exists(queue + "/down"):
            break
        try:
            item = os.open(waiting + "/" + name, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(item, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(waiting + "/" + name, done + "/" + name)
            items += 1
        except (BlockingIOError, FileNotFoundError):
            pass
        finally:
            os.close(item)
        if items % 256 == 0:
            sync_names()
    sync_names()
print(json.dumps({"ms": (time.perf_counter() - began) * 1000, "items": items}))
