"""An executor too small for what its Python keeps: it is ended, replaced, and its user is told what to change."""

import os
import time

from pyspark.sql import SparkSession

settings = {"spark.executor.memory": "512m", "spark.executor.instances": "1", "spark.task.maxFailures": "2"}
spark = SparkSession.builder.config(map=settings).getOrCreate()
sc = spark.sparkContext
once = os.path.abspath("kept")


def keeps_too_much(number):
    block = b"x" * (2 << 30)  # its pages are written
    time.sleep(5)  # without control groups an agent looks once a second: what is kept for less may pass
    return number + len(block)


def keeps_too_much_once(number):
    if os.path.exists(once):
        return number
    open(once, "w").close()
    return keeps_too_much(number)


print("sum", sc.parallelize(range(100), 2).map(keeps_too_much_once).sum())
try:
    sc.parallelize([1], 1).map(keeps_too_much).collect()
except Exception as error:
    print("Spark says 137:", "137" in str(error))
open("told", "w").close()
while not os.path.exists("seen"):
    time.sleep(0.2)
spark.stop()
