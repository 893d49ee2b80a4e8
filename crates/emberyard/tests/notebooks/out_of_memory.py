"""A Python task that needs more than the executor has."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.config("spark.task.maxFailures", "2").config("spark.executor.memory", "512m").getOrCreate()


def hungry(number):
    held = [bytearray(8 << 20) for _ in range(200)]  # 1.6 GiB; the pod may have 896 MiB
    return len(held)


try:
    spark.sparkContext.parallelize(range(2), 2).map(hungry).collect()
    print("it fitted")
except Exception as error:  # noqa: BLE001 - Spark's own text is not what is looked at
    print("failed as expected")
import time
time.sleep(3)
spark.stop()
