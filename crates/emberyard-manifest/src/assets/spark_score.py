"""Says under a cell how much of what its Spark jobs read from HDFS they read on their own node, and tells the operator.

It is asked once, after the cell, of what the driver keeps for its web pages and its REST API (the status store), in the REST
API's own form and over PySpark's own connection: nothing listens to Spark's events for it, and the pages need not be on.

A task has a place of its own choice in HDFS only: who reads files of a folder or objects of S3 has none (PROCESS_LOCAL),
as has who reads the cache of its executor.
"""

import contextvars
import json
import queue
import threading

PATIENCE = 0.5  # seconds that a cell waits for its score at most
EVENTS = 300  # milliseconds that Spark may need to have noted what has just ended
PAGE, PAGES = 20, 10  # stages
TASKS = 1000  # that are looked at after a cell
CACHED = 20  # data sets
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
NOTHING = {"tasks": 0, "localTasks": 0, "bytes": 0, "localBytes": 0}
MORE = "; not all of its many tasks were looked at"


def of_tasks(tasks):
    """The score of tasks as the REST API shows them."""
    score = dict(NOTHING)
    for task in tasks:
        size = ((task.get("taskMetrics") or {}).get("inputMetrics") or {}).get("bytesRead", 0)
        if size > 0 and task["status"] == "SUCCESS" and task["taskLocality"] in ("NODE_LOCAL", "RACK_LOCAL", "ANY"):
            local = task["taskLocality"] == "NODE_LOCAL"
            score = added(score, {"tasks": 1, "localTasks": local, "bytes": size, "localBytes": size * local})
    return score


def added(one, other):
    return {name: one[name] + other[name] for name in NOTHING}


def line(score):
    """A score in words, as `emberyard status` says it; sizes are rounded down."""
    whole, part = score["bytes"], score["localBytes"]
    step = max(0, min((whole.bit_length() - 1) // 10, len(UNITS) - 1))
    shift = 10 * step
    with_tenths = step > 0 and whole >> shift < 10

    def shown(size):
        tenths = size * 10 >> shift
        return f"{tenths // 10}.{tenths % 10}" if with_tenths else str(tenths // 10)

    return (f"HDFS: {score['localTasks']} of {score['tasks']} tasks read their blocks on their own node "
            f"({shown(part)} of {shown(whole)} {UNITS[step]})")


def is_of_a_stream(stage):
    """Streams go on beside the cells: their reading is the session's, not the cell's."""
    return "runId = " in (stage.get("description") or "")


def to_look_at(stages):
    """The stages that have read something, the oldest first."""
    ended = (stage for stage in stages if stage["status"] in ("COMPLETE", "FAILED") and stage["inputBytes"] > 0)
    return sorted(ended, key=lambda stage: (stage["stageId"], stage["attemptId"]))


class Store:
    """The status store of a driver. All is asked for in pages: a session may have run thousands of jobs."""

    def __init__(self, context):
        self.spark = context._jsc.sc()
        self.store = self.spark.statusStore()
        # What the REST API writes its answers with.
        self.mapper = context._jvm.org.apache.spark.status.api.v1.JacksonMessageWriter().mapper()
        self.application = context.applicationId
        hadoop = self.spark.hadoopConfiguration()
        # The one HDFS of the cluster is told by its name, several only by how their blocks are found.
        self.knows_hdfs = bool(hadoop.get("dfs.nameservices") or hadoop.get("emberyard.node.prefix"))

    def settle(self):
        """Waits until the store knows all that has happened. Raises where that takes too long."""
        self.spark.listenerBus().waitUntilEmpty(EVENTS)

    def json(self, answer):
        return json.loads(self.mapper.writeValueAsString(answer))

    def stages_since(self, first):
        """Stages from this number on, and whether there were more than are looked at."""
        store, found = self.store, []
        everything = store.stageList(  # the newest first
            None, False, False, getattr(store, "stageList$default$4")(), getattr(store, "stageList$default$5")())
        if everything.isEmpty() or everything.head().stageId() < first:
            return [], False
        for page in range(PAGES):
            asked = self.json(everything.slice(page * PAGE, (page + 1) * PAGE))
            found += [stage for stage in asked if stage["stageId"] >= first]
            if len(asked) < PAGE or asked[-1]["stageId"] < first:
                return found, False
        return found, True

    def tasks(self, stage, most):
        return self.json(self.store.taskList(stage["stageId"], stage["attemptId"], most))

    def cached(self):
        """Data sets that are cached whole."""
        cached = self.store.rddList(True)
        sets = [cached.apply(number) for number in range(min(cached.size(), CACHED))]
        return {one.id() for one in sets if one.numCachedPartitions() == one.numPartitions()}


class Session:
    """What is known of one application."""

    def __init__(self, store):
        self.store, self.next, self.cached, self.score = store, 0, set(), NOTHING

    def look(self):
        """The score of what has ended since the last look, streams aside, and whether more ended than was looked at."""
        self.store.settle()
        stages, more = self.store.stages_since(self.next)
        self.next = max((stage["stageId"] + 1 for stage in stages), default=self.next)
        cell, left = NOTHING, TASKS
        reading = to_look_at(stages)
        for stage in reading:
            # Who finds its executor busy for long reads the cache of another, from a place that looks like HDFS's.
            if self.cached.intersection(stage["rddIds"]):
                continue
            more |= stage["numTasks"] > left
            score = of_tasks(self.store.tasks(stage, left) if left else [])
            left = max(0, left - stage["numTasks"])
            self.score = added(self.score, score)
            cell = cell if is_of_a_stream(stage) else added(cell, score)
        if reading:
            self.cached = self.store.cached()
        return cell, more


class Scores:
    """Looks once after each cell, in a thread of its own: each has its connection to the JVM. The cell waits a moment only."""

    def __init__(self, context, show, tell):
        self.context, self.show, self.tell = context, show, tell
        self.session, self.asked, self.looked = None, queue.SimpleQueue(), threading.Event()
        self.looked.set()
        threading.Thread(target=self.work, name="emberyard-score", daemon=True).start()

    def after_cell(self, *_):
        context = self.context()
        if context is None or context._jsc is None or not self.looked.is_set():  # a driver that hangs delays one cell
            return
        self.looked = threading.Event()
        self.asked.put((context, contextvars.copy_context(), self.looked))  # what is shown belongs to this cell
        try:
            self.looked.wait(PATIENCE)
        except KeyboardInterrupt:
            pass

    def work(self):
        while True:
            self.step(*self.asked.get())

    def step(self, context, cell, looked):
        try:
            if self.session is None or self.session.store.application != context.applicationId:
                self.session = Session(Store(context))
            session = self.session
            if not session.store.knows_hdfs:
                return
            before = session.score
            score, more = session.look()
            if score["tasks"]:
                cell.run(self.show, line(score) + (MORE if more else ""))
            looked.set()
            if session.score != before:
                self.tell(session.store.application, session.score)
        except Exception:  # noqa: BLE001 - a score is a courtesy: a cell never fails for it
            pass
        finally:
            looked.set()
