"""A cluster that is none: answers what Spark asks of a Kubernetes API, on the loopback, and starts nothing.

With it a driver practises against the code that talks to a cluster, and no cluster hears of it.
"""

import base64
import hashlib
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NUMBERS = itertools.count(1)
PODS_MADE = threading.Event()


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, code, value):
        text = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        made = json.loads(self.body())
        number = str(next(NUMBERS))
        made.setdefault("metadata", {}).update(
            namespace="practice", uid=number, resourceVersion=number, creationTimestamp="1970-01-01T00:00:00Z")
        self.answer(201, made)
        if made.get("kind") == "Pod":
            PODS_MADE.set()

    def do_DELETE(self):
        self.body()
        self.answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def do_GET(self):
        key = self.headers.get("Sec-WebSocket-Key")
        if key is None:
            return self.answer(200, {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []})
        digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        self.close_connection = True
        self.rfile.read(2)  # the first that comes is the word to close
        self.wfile.write(b"\x88\x02\x03\xe8")


def start():
    """Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
