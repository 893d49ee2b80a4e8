"""Refuses settings that Spark takes without a word, though no executor can ever come of them: jobs would wait for ever."""

import functools
import inspect
import re

from after_import import after_import
from spark_guard import MOUNT

CORES = re.compile(r"\+?(\d+\.?\d*|\.\d+)(m|k|M|G)?")


def problem(settings):
    """What is wrong, why, and what to write; None where sessions can work."""
    count = settings.get("spark.executor.instances", "").strip()
    if re.fullmatch(r"-\d+", count):
        return (f"spark.executor.instances is {count}: without executors every job would wait for ever. "
                "Set how many you want, for example 2, or leave it out.")
    for key in ("spark.kubernetes.executor.request.cores", "spark.kubernetes.executor.limit.cores"):
        cores = settings.get(key, "1").strip()
        number = CORES.fullmatch(cores)
        if not number or float(number[1]) == 0:
            return (f"{key} is {cores}: no pod can ask for that, and no executor would start. "
                    "Write a number of cores, for example 1, 0.5 or 500m.")
    for key, path in settings.items():
        if MOUNT.fullmatch(key) and not path.startswith("/"):
            return (f"{key} is {path}: a volume is mounted at an absolute path, and no executor would start. "
                    "Write one that begins with /.")
    return None


def check_first(module):
    make = module.SparkContext._do_init
    signature = inspect.signature(make)

    @functools.wraps(make)
    def checked(*args, **kwargs):
        conf = signature.bind(*args, **kwargs).arguments.get("conf")
        said = problem(dict(conf.getAll())) if conf is not None else None
        if said:
            raise ValueError(said)
        return make(*args, **kwargs)

    module.SparkContext._do_init = checked


def load_ipython_extension(_shell):
    after_import({"pyspark.core.context": check_first})
