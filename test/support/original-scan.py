#!/usr/bin/env python3
"""original-scan.py QUEUE NOTES: stands for the scanners of fsq 0.2.5, which needs Python 2.

Step by step what those do, by their manual: list queue/ sorted; before each item look for `down`; open it (gone: skip),
flock it without waiting (busy: skip), run it, and rename it to done/. To run it is to note its name in NOTES. Like the
original it believes, once it has the lock, that the name still leads to the file that it has locked.
"""

import fcntl
import os
import sys

queue, notes = sys.argv[1:]
log = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
while os.listdir(queue + "/queue"):
    for name in sorted(os.listdir(queue + "/queue")):
        if os.path.exists(queue + "/down"):
            sys.exit(0)
        path = queue + "/queue/" + name
        try:
            item = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(item, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(log, (name + "\n").encode())
            os.rename(path, queue + "/done/" + name)
        except (BlockingIOError, FileNotFoundError):
            pass
        finally:
            os.close(item)
