"""Small jobs, one after the other, until the test has seen enough; each answer is right."""

import os
import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.config("spark.executor.instances", "1").getOrCreate()
rounds, longest = 0, 0.0
while not os.path.exists("enough"):
    begun = time.time()
    assert spark.sparkContext.parallelize(range(1000), 2).map(lambda number: number * 2).sum() == 999000
    rounds, longest = rounds + 1, max(longest, time.time() - begun)
    open("works", "w").close()
    time.sleep(0.5)
print(f"neighbour: {rounds} right answers, longest {longest:.1f} s")
spark.stop()
