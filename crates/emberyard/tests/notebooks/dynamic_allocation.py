"""Executors come with the work and go without it."""

import time

from pyspark.sql import SparkSession

settings = {
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.minExecutors": "0",
    "spark.dynamicAllocation.maxExecutors": "3",
    "spark.dynamicAllocation.executorIdleTimeout": "4s",
    "spark.executor.instances": "0",
}
spark = SparkSession.builder.config(map=settings).getOrCreate()
sc = spark.sparkContext


def executors():
    """Living ones, without the driver."""
    return sc._jsc.sc().getExecutorMemoryStatus().size() - 1


def work(number):
    time.sleep(0.5)
    return number


assert sc.parallelize(range(24), 24).map(work).sum() == 276
most = executors()
assert 1 <= most <= 3, most
print("grown to", most)
deadline = time.time() + 120
while executors() > 0 and time.time() < deadline:
    time.sleep(0.5)
assert executors() == 0, executors()
print("shrunk to", executors())
assert sc.parallelize(range(4), 4).sum() == 6  # and grown again
print("grown again")
spark.stop()
