"""Stops a Spark write that would be lost: to a local path that the executors do not share.

Executors write where the path leads on their own disks, which end with them, and Spark reports success. Loaded by each
kernel at its start; it waits for pyspark and looks at nothing else.
"""

import os
import re

from after_import import after_import

WRITES = {
    "pyspark.sql.readwriter": ("DataFrameWriter", ("save", "parquet", "csv", "json", "orc", "text", "xml")),
    "pyspark.core.rdd": ("RDD", ("saveAsTextFile", "saveAsPickleFile", "saveAsSequenceFile")),
    "pyspark.rdd": ("RDD", ("saveAsTextFile", "saveAsPickleFile", "saveAsSequenceFile")),
}
MOUNT = re.compile(r"spark\.kubernetes\.executor\.volumes\.\w+\.[^.]+\.mount\.path")


def problem(path, settings, default_fs, folder):
    """Why a write to this path would be lost; None when it is safe. `settings` are the context's."""
    if not settings.get("spark.master", "").startswith("k8s://"):
        return None
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", path)
    if (scheme[1] if scheme else default_fs.partition(":")[0]).lower() != "file":
        return None
    local = os.path.abspath(re.sub(r"^file:(//)?", "", path))
    shared = {os.path.normpath(value) for key, value in settings.items() if MOUNT.fullmatch(key)}
    if any(local == place or local.startswith(place.rstrip("/") + "/") for place in shared):
        return None
    cure = f"Write below {folder}, which they share" if folder in shared else "Give the notebook a folder (`emberyard up FOLDER`)"
    return (f"The executors do not share {local}: each would write its part to its own disk, where it is lost. "
            f"{cure}, or write to hdfs:// or s3a://.")


def check(path):
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    if context is None or not isinstance(path, str):
        return
    default_fs = context._jsc.hadoopConfiguration().get("fs.defaultFS") or "file:///"
    said = problem(path, dict(context.getConf().getAll()), default_fs, os.environ.get("EMBERYARD_ROOT_DIR"))
    if said:
        raise OSError(said)


def guarded(write):
    def guard(self, path=None, *args, **kwargs):
        check(path)
        return write(self, path, *args, **kwargs)

    guard.__name__, guard.__doc__, guard.__wrapped__ = write.__name__, write.__doc__, write
    return guard


def guard_module(module):
    kind, names = WRITES[module.__name__]
    kind = getattr(module, kind, None)
    for name in names:
        write = getattr(kind, name, None)
        if write and not hasattr(write, "__wrapped__"):
            setattr(kind, name, guarded(write))


def load_ipython_extension(_shell):
    after_import({name: guard_module for name in WRITES})
