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


def cancel(result):
    """Called after each cell."""
    if not isinstance(result.error_in_exec, KeyboardInterrupt):
        return
    kind = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    context = getattr(kind, "_active_spark_context", None)
    if context is None:
        return
    try:
        context.cancelAllJobs()  # what PySpark's own handler does
    except Exception:  # noqa: BLE001 - the driver has ended, and its jobs with it
        pass


def load_ipython_extension(shell):
    after_import({"pyspark.core.context": keep_handler})
    shell.events.register("post_run_cell", cancel)
