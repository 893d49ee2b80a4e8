"""Shuffle files and cached blocks move before their executor goes: nothing is computed twice."""

import os
import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
sc = spark.sparkContext
computed = sc.accumulator(0)


def count(number):
    computed.add(1)
    return number % 10, number


cached = sc.parallelize(range(1000), 4).cache()
assert cached.count() == 1000
shuffled = sc.parallelize(range(1000), 4).map(count).groupByKey(4).mapValues(len)
assert sorted(shuffled.collect())[0] == (0, 100) and computed.value == 1000
open("shuffled", "w").close()
deadline = time.time() + 120
while not os.path.exists("gone") and time.time() < deadline:
    time.sleep(0.2)
assert os.path.exists("gone"), "the executor did not go"
assert sorted(shuffled.collect())[0] == (0, 100)
assert computed.value == 1000, f"{computed.value - 1000} of 1000 were computed again"
assert cached.sum() == 499500
print("nothing was computed twice")
spark.stop()
