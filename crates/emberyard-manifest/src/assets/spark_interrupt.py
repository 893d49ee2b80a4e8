"""The interrupt of a cell ends the Spark jobs that it waits for.

PySpark cancels jobs in a signal handler that it installs with each context. A kernel puts its own back after the cell: in
later ones jobs would go on, unseen, and keep their executors busy. In the context's own cell that handler asks over the
very connection that it interrupts, and waits for the job's end. So the kernel's handler stays, and jobs are cancelled
when the interrupted cell is over.
"""

import functools
import signal
import sys
import threading
import time

from after_import import after_import


def keep_handler(module):
    """Makes contexts without a handler of their own."""
    make = module.SparkContext._do_init

    @functools.wraps(make)
    def with_the_kernels(*args, **kwargs):
        before = signal.getsignal(signal.SIGINT)
        try:
            return make(*args, **kwargs)
        finally:
            # Python allows nobody else to change it, and PySpark asks first as well.
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, before)

    module.SparkContext._do_init = with_the_kernels


def say_goodbye(module):
    """Lets an interrupt be an interrupt: the connection that it broke may refuse PySpark's last word about a job."""
    leave = module.SCCallSiteSync.__exit__

    @functools.wraps(leave)
    def after_interrupt(self, kind, value, traceback):
        try:
            return leave(self, kind, value, traceback)
        except Exception:
            if kind is not KeyboardInterrupt:
                raise

    module.SCCallSiteSync.__exit__ = after_interrupt


def was_interrupted(error):
    """Whether an interrupt is at the root of what a cell ended with."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def cancel(result):
    """Called after each cell."""
    if not was_interrupted(result.error_in_exec):
        return
    kind = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    context = getattr(kind, "_active_spark_context", None)
    if context is None:
        return
    for pause in (0, 0.1, 0.5, 2):  # the connection that was broken may be refused for a moment
        time.sleep(pause)
        try:
            return context.cancelAllJobs()  # what PySpark's own handler does
        except Exception:  # noqa: BLE001 - or the driver has ended, and its jobs with it
            pass


def load_ipython_extension(shell):
    after_import({"pyspark.core.context": keep_handler, "pyspark.traceback_utils": say_goodbye})
    shell.events.register("post_run_cell", cancel)
