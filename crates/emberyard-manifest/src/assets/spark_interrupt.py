"""The interrupt of a cell ends the Spark jobs that it waits for, and then the cell.

Whoever waits for the driver's JVM waits in py4j, on a connection of its thread. An exception raised there closes that
connection in mid-answer: the job goes on, unseen, and keeps its executors busy, and PySpark's last word about it fails.
So a cell that is found there is interrupted when its call has returned, which it does at once, since its jobs are
cancelled over another connection. A call that runs no job, or none any more (`awaitTermination`), is interrupted where it is
after PATIENCE, and any call by a second press.

PySpark has a handler of its own, installed with each context for the rest of the cell; it asks the JVM over the very
connection that it interrupts. The kernel's stays in its place.
"""

import functools
import signal
import sys
import threading
import time

from after_import import after_import

PATIENCE = 5
MAKING = "The Spark context is being made: the cell ends as soon as it is there. Interrupt again to end it now."


class Button:
    """The interrupt, for the time of one cell. `otherwise`: what the kernel itself does with it."""

    def __init__(self, otherwise):
        self.otherwise = otherwise
        self.making = False  # a context
        self.left = None  # told once the cell is out of py4j; None while nothing waits for that

    def press(self, number, frame):
        """The signal's handler, in the kernel's main thread."""
        if self.left is not None:
            return self.now(number, frame)
        called_from = caller_of_the_jvm(frame)
        if sys.gettrace() is not None or (called_from is None and not self.making):
            threading.Thread(target=cancel_jobs, daemon=True).start()
            return self.otherwise(number, frame)
        self.left = threading.Event()
        if self.making:
            print(MAKING, file=sys.stderr)
            return None
        threading.Thread(target=end_jobs, args=(self.left,), daemon=True).start()
        when_back_in(called_from, self.left, lambda: self.now(number, called_from))
        return None

    def now(self, number, frame):
        """Interrupts, wherever the cell is."""
        self.left.set()
        self.left = None
        self.otherwise(number, frame)

    def made(self):
        """The context is there: an interrupt that waited for it is due."""
        self.making = False
        if self.left is not None:
            self.now(signal.SIGINT, sys._getframe())


def caller_of_the_jvm(frame):
    """The frame that called py4j, if this one is py4j's or was called by it."""
    found = None
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] == "py4j":
            found = frame.f_back
        frame = frame.f_back
    return found


def when_back_in(frame, left, then):
    """Does something at the first instruction, return or exception of a frame that waits for a call, unless it has left."""

    def back(*_event):
        sys.settrace(None)
        if not left.is_set():
            then()

    frame.f_trace = back
    frame.f_trace_opcodes = True
    sys.settrace(lambda *_event: None)  # other frames are not looked at


def end_jobs(left):
    """Cancels jobs until the cell that waits for them is out of py4j; interrupts it there if no job explains its waiting."""
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < PATIENCE:
        if cancel_jobs():
            idle_since = time.monotonic()
        if left.wait(0.2):
            return
    if button.left is left:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def cancel_jobs():
    """Cancels what runs, except streams: they were started to outlive their cell. Whether there was anything."""
    pyspark = sys.modules.get("pyspark.sql") or sys.modules.get("pyspark")
    context = pyspark and sys.modules["pyspark"].SparkContext._active_spark_context
    if not context or not getattr(context, "_jsc", None):
        return False
    try:
        tracker = context.statusTracker()
        active = set(tracker.getActiveJobsIds())
        session = getattr(getattr(pyspark, "SparkSession", None), "_instantiatedSession", None)
        for stream in session.streams.active if session and active else ():
            active.difference_update(tracker.getJobIdsForGroup(stream.runId))
        for job in active:
            context._jsc.sc().cancelJob(job)
        return bool(active)
    except Exception:  # noqa: BLE001 - the context ends, and its jobs with it
        return False


button = Button(signal.default_int_handler)


def cell_begins(*_info):
    """Called before each cell. The kernel puts its own handler back after it."""
    global button
    if threading.current_thread() is threading.main_thread():
        button = Button(signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, button.press)


def keep_handler(module):
    """Makes contexts whole and without a handler of their own."""
    make = module.SparkContext._do_init

    @functools.wraps(make)
    def make_whole(*args, **kwargs):
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or before != button.press:
            return make(*args, **kwargs)
        button.making = True
        try:
            return make(*args, **kwargs)
        finally:
            signal.signal(signal.SIGINT, before)
            button.made()

    module.SparkContext._do_init = make_whole


def load_ipython_extension(shell):
    after_import({"pyspark.core.context": keep_handler})
    shell.events.register("pre_run_cell", cell_begins)
