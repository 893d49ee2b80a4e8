"""Says under the running cell what a Spark session waits for, and why executors ended; after it, how local it read.

The operator knows; it writes it into the Notebook's status. This extension reads it there while a cell runs that uses
Spark, and at no other time. Nothing is said of a start that goes well. How local jobs read their blocks is the driver's to
say (spark_score).
"""

import contextvars
import datetime
import html
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse
import urllib.request

from spark_score import Scores

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
PERIOD = 1.0  # seconds between two looks
SCORE = "emberyard.dev/hdfs-score"  # annotation on an application's ConfigMap
QUIET = 3.0  # seconds that a wait lasts before it is spoken of; what can never be had is told at once


def seconds_until(moment, now):
    """Whole seconds from `now` to an RFC 3339 moment; at least one."""
    then = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return max(1, round((then - now).total_seconds()))


def of_this_kernel(sessions, application, since):
    """This kernel's sessions: by the application's id, or, while its context is still being made, by their age."""
    if application:
        return [session for session in sessions if session["application"] == application]
    return [session for session in sessions if session.get("since", "") >= since]


def wait_line(session, now):
    """What a session waits for, in a line; None when nothing is waited for."""
    waiting = session.get("waiting", [])
    if not waiting:
        return None
    parts = []
    for one in waiting:
        count = len(one["pods"])
        who = "1 executor waits" if count == 1 else f"{count} executors wait"
        when = f" About {seconds_until(one['expected'], now)} s." if one.get("expected") else ""
        parts.append(f"{who}: {one['why']}{when}")
    return f"Spark: {session.get('running', 0)} executors run. " + " ".join(parts)


def end_lines(session, told):
    """Executors that ended and were not spoken of yet; remembers them in `told`."""
    new = [one for one in session.get("ended", []) if one["pod"] not in told]
    told.update(one["pod"] for one in new)
    return [f"Spark: {one['pod']} ended: {one['what']} {one.get('cure', '')}".rstrip() for one in new]


class Status:
    """The Notebook's status, and what the operator makes it of, by the pod's own account."""

    def __init__(self):
        def read(name):
            with open(f"{ACCOUNT}/{name}", encoding="utf-8") as file:
                return file.read().strip()

        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        self.server, namespace = f"https://{host}:{port}", read("namespace")
        self.notebook = f"/apis/emberyard.dev/v1alpha1/namespaces/{namespace}/notebooks/{os.environ['EMBERYARD_NOTEBOOK']}"
        self.config_maps = f"/api/v1/namespaces/{namespace}/configmaps"
        self.token = lambda: read("token")  # renewed in place
        context = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
        # The cluster is never reached by a proxy.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                                  urllib.request.HTTPSHandler(context=context))

    def ask(self, path, patch=None):
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/merge-patch+json"}
        request = urllib.request.Request(self.server + path, headers=headers)
        if patch is not None:
            request.method, request.data = "PATCH", json.dumps(patch).encode()
        with self.opener.open(request, timeout=5) as answer:
            return json.load(answer)

    def sessions(self):
        return self.ask(self.notebook).get("status", {}).get("sessions", [])

    def note(self, application, score):
        """Notes a score where the operator sees it: on the ConfigMap that Spark made for the application, with which it goes."""
        selector = urllib.parse.urlencode({"labelSelector": f"spark-app-selector={application}"})
        for found in self.ask(f"{self.config_maps}?{selector}")["items"]:
            note = {"metadata": {"annotations": {SCORE: json.dumps(score)}}}
            self.ask(f"{self.config_maps}/{found['metadata']['name']}", note)


def active_context():
    return getattr(getattr(sys.modules.get("pyspark"), "SparkContext", None), "_active_spark_context", None)


def spark_is_used():
    """Whether this kernel has a Spark gateway, and the id of its application if it has one."""
    module = sys.modules.get("pyspark")
    kind = getattr(module, "SparkContext", None)
    if kind is None or kind._gateway is None:
        return False, None
    context = active_context()
    return True, getattr(context, "applicationId", None)


class Teller:
    """Shows lines under a cell: one that changes, and those that stay."""

    def __init__(self, show):
        self.show, self.line, self.handle = show, None, None

    def say(self, line, more):
        for one in more:
            self.show(shown(one), None)
        if line != self.line:
            self.line, self.handle = line, self.show(shown(line or ""), self.handle)


def shown(text):
    return {"text/plain": text, "text/html": f"<small>{html.escape(text)}</small>"}


class News:
    """One thread that looks while a cell runs."""

    def __init__(self, status, show):
        self.status, self.show = status, show
        self.running, self.told, self.cell = threading.Event(), set(), None
        threading.Thread(target=self.watch, name="emberyard-news", daemon=True).start()

    def begin(self, *_):
        self.cell = (time.time(), contextvars.copy_context())  # what is shown belongs to this cell
        self.running.set()

    def end(self, *_):
        self.running.clear()

    def watch(self):
        while True:
            self.running.wait()
            begun, context = self.cell
            since = datetime.datetime.fromtimestamp(int(begun), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            teller, first_wait = Teller(lambda data, handle: context.copy().run(self.show, data, handle)), None
            while self.running.is_set() and self.cell[0] == begun:
                time.sleep(PERIOD)
                try:
                    first_wait = self.look(teller, since, first_wait)
                except Exception:  # noqa: BLE001 - news are a courtesy: a cell never fails for them
                    pass

    def look(self, teller, since, first_wait):
        used, application = spark_is_used()
        if not used:
            return None
        now = datetime.datetime.now(datetime.timezone.utc)
        line, more, never = None, [], False
        for session in of_this_kernel(self.status.sessions(), application, since):
            line = wait_line(session, now) or line
            more += end_lines(session, self.told)
            never |= any(one.get("never") for one in session.get("waiting", []))
        first_wait = (first_wait or time.time()) if line else None
        spoken = line if line and (never or time.time() - first_wait >= QUIET) else None
        if spoken or more or teller.line:
            teller.say(spoken, more)
        return first_wait


def load_ipython_extension(shell):
    from IPython.display import display

    def show(data, handle):
        if handle is None:
            return display(data, raw=True, display_id=True)
        handle.update(data, raw=True)
        return handle

    try:
        status = Status()
    except (OSError, KeyError):
        return  # not in a notebook's pod
    news = News(status, show)
    scores = Scores(active_context, lambda text: show(shown(text), None), status.note)
    shell.events.register("pre_run_cell", news.begin)
    shell.events.register("post_run_cell", news.end)
    shell.events.register("post_run_cell", scores.after_cell)
