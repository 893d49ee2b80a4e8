"""The door to the Spark UI of this pod.

Spark's pages are written for the root of a host of their own. Behind a path (a gateway's, or the API server's
`.../services/NAME:4040/proxy/`) their links and redirects lose the path, and their scripts take a word of it for the
application's id. This door stands between: it makes every link relative, so that nobody has to know the path, mends
the scripts, and finds the port of the running context (each further context has the next port).

  /...             the UI of the first running context
  /spark:PORT/...  the UI on that port
  /emberyard/session   which contexts run here, for the operator; with ?contexts=no only what the pod's processes show
"""

import asyncio
import json
import os
import re
import sys

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.web import Application, RequestHandler

FIRST_PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 4040
LAST_PORT = FIRST_PORT + 100  # nothing else of this pod is reachable through the door
SETTINGS = ("spark.executor.instances", "spark.dynamicAllocation.enabled", "spark.dynamicAllocation.minExecutors",
            "spark.dynamicAllocation.initialExecutors", "spark.dynamicAllocation.maxExecutors")
# As the kernel's tables write it: for IPv4, for that inside of IPv6, and for IPv6.
LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
SEARCHED_WORDS = re.compile(rb"""\.indexOf\((["'])(?:proxy|history)\1\)""")
NO_SESSION = """<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<title>Spark UI</title><p>No Spark session runs in this notebook. This page looks again every three seconds."""


def split_port(path):
    """Takes a leading /spark:PORT off a path: (port or None, that prefix, rest)."""
    found = re.match(r"/spark:(\d{1,5})(?=/|$)", path)
    if not found:
        return None, "", path
    return int(found[1]), found[0], path[found.end():]


def way_up(path):
    """From a page to the root of its UI: "." for "/", ".." for "/jobs/", "../.." for "/jobs/job/"."""
    return "/".join([".."] * (path.count("/") - 1)) or "."


def mend_script(body):
    """Page scripts look for a path word that tells them an application id; here no path word does."""
    return SEARCHED_WORDS.sub(rb'.indexOf("/")', body)  # a word never holds a slash


def mend_location(location, path):
    """A redirect of Spark's, relative to the page that gave it."""
    return way_up(path) + (re.sub(r"^https?://[^/]*", "", location) or "/")


async def ask(port, path, **more):
    """One request to a Spark UI of this pod; None when nobody answers."""
    request = HTTPRequest(f"http://127.0.0.1:{port}{path}", follow_redirects=False, connect_timeout=2,
                          request_timeout=60, decompress_response=False, **more)
    try:
        return await AsyncHTTPClient().fetch(request, raise_error=False)
    except OSError:
        return None


async def ask_json(port, path):
    answer = await ask(port, path)
    if answer is None or answer.code != 200:
        return None
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def kept_warm():
    """Processes whose driver no context has yet; kernels mark them (spark_warm)."""
    with open("/proc/net/unix") as sockets:
        return set(re.findall(r"@emberyard-warm-(\d+)$", sockets.read(), re.M))


def listeners():
    """The rows of the kernel's tables that tell of TCP sockets on which something in this pod listens."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as lines:
                rows = [line.split() for line in list(lines)[1:]]
        except OSError:
            continue
        yield from (row for row in rows if row[3] == "0A")


def reachable():
    """Inodes of sockets on which something listens beyond the loopback."""
    return {row[9] for row in listeners() if row[1].rpartition(":")[0] not in LOOPBACK}


def has_context(pid, sockets):
    """Whether a driver may have a context: its executors call it by such a socket, which it has before it asks for any."""
    try:
        links = [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return True
    return any(link.startswith("socket:[") and link[8:-1] in sockets for link in links)


def drivers():
    """How many Spark driver processes this pod has that may have a context, also those that show no UI."""
    count, warm, sockets = 0, kept_warm(), reachable()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline, open(f"/proc/{pid}/stat") as stat:
                words, parent = cmdline.read().split(b"\0"), stat.read().rpartition(")")[2].split()[1]
        except OSError:
            continue
        # The launcher only works out the command line; a JVM that a marked process starts is marked once it is up.
        driver = b"org.apache.spark.deploy.SparkSubmit" in words and b"org.apache.spark.launcher.Main" not in words
        count += driver and not warm & {pid, parent} and has_context(pid, sockets)
    return count


async def contexts():
    """The running contexts: id, name, port, settings. A gap of two silent ports ends the search."""
    found, silent = [], 0
    for port in range(FIRST_PORT, LAST_PORT + 1):
        applications = await ask_json(port, "/api/v1/applications")
        silent = silent + 1 if applications is None else 0
        for application in applications or []:
            environment = await ask_json(port, f"/api/v1/applications/{application['id']}/environment") or {}
            settings = {k: v for k, v in environment.get("sparkProperties", []) if k in SETTINGS}
            found.append({"id": application["id"], "name": application["name"], "port": port, "settings": settings})
        if silent == 2:
            break
    return found


async def first_port():
    """The port of the first context that runs."""
    for port in range(FIRST_PORT, FIRST_PORT + 17):  # Spark itself tries 16 further ports
        if await ask_json(port, "/api/v1/applications"):
            return port
    return None


def listening():
    """The TCP ports on which something in this pod listens."""
    return sorted({int(row[1].rsplit(":", 1)[1], 16) for row in listeners()})


class Session(RequestHandler):
    async def get(self):
        processes = drivers()
        found = await contexts() if self.get_query_argument("contexts", "yes") != "no" else []
        # Ports last: what starts to listen while the contexts are asked counts.
        self.write({"drivers": processes, "contexts": found, "listening": listening()})


class Door(RequestHandler):
    async def pass_on(self):
        port, own, path = split_port(self.request.path)
        query = f"?{self.request.query}" if self.request.query else ""
        if own and not path:  # relative links need the slash
            return self.redirect(f".{own}/{query}")
        if port is None:
            port = await first_port()
        if port is None:
            self.set_status(503)
            return self.finish(NO_SESSION)
        if not FIRST_PORT <= port <= LAST_PORT:
            self.set_status(404)
            return self.finish("no Spark UI has this port")
        # Spark puts this before every link and tells it to its scripts.
        headers = {"X-Forwarded-Context": way_up(path), "Accept": self.request.headers.get("Accept", "*/*")}
        for name in ("Content-Type", "Accept-Language"):
            if name in self.request.headers:
                headers[name] = self.request.headers[name]
        answer = await ask(port, path + query, method=self.request.method, headers=headers,
                           body=self.request.body or None, allow_nonstandard_methods=True)
        if answer is None or answer.code == 599:
            self.set_status(503)
            return self.finish(NO_SESSION)
        self.hand_back(answer, path)

    get = head = post = pass_on

    def hand_back(self, answer, path):
        self.set_status(answer.code, answer.reason)
        for name in ("Content-Type", "Content-Disposition", "Cache-Control", "X-Frame-Options", "X-XSS-Protection",
                     "X-Content-Type-Options"):
            for value in answer.headers.get_list(name):
                self.set_header(name, value)
        if "Location" in answer.headers:
            self.set_header("Location", mend_location(answer.headers["Location"], path))
        if answer.code in (204, 304) or self.request.method == "HEAD":
            return self.finish()
        self.finish(mend_script(answer.body) if path.endswith(".js") else answer.body)

    def check_xsrf_cookie(self):
        pass  # Spark's own forms carry no token; who may come in is decided before this door


async def main(port):
    app = Application([(r"/emberyard/session", Session), (r".*", Door)], log_function=lambda handler: None)
    app.listen(port, "0.0.0.0")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
