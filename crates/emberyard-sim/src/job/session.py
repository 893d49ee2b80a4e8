import time
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, pandas_udf, sum as total, udf

spark = (
    SparkSession.builder.config("spark.executor.instances", "2")
    .config("spark.executor.memory", "512m")
    .config("spark.sql.shuffle.partitions", "6")
    .config("spark.ui.showConsoleProgress", "false")
    # Spark gives an application up whose executors fail again and again: here that is the point.
    .config("spark.executor.maxNumFailures", "1000")
    .getOrCreate()
)
sc = spark.sparkContext


def slowly(rows):
    time.sleep(0.5)
    return rows
