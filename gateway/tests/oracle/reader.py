"""Reads messages, each behind its length (32 bits, little endian), and writes what a server in Python would read of
each, one line of JSON a message."""

import json
import struct
import sys


def member(value, key):
    return value.get(key) if isinstance(value, dict) else None


def text(value):
    return value if isinstance(value, str) else None


stdin = sys.stdin.buffer.read()
at = 0
while at < len(stdin):
    (length,) = struct.unpack_from("<I", stdin, at)
    message = json.loads(stdin[at + 4 : at + 4 + length])
    at += 4 + length
    params = member(message, "params")
    reference = member(params, "ref")
    places = [
        (message, "method"),
        (params, "name"),
        (params, "uri"),
        (params, "taskId"),
        (reference, "type"),
        (reference, "name"),
        (reference, "uri"),
    ]
    print(json.dumps([text(member(value, key)) for value, key in places]))
