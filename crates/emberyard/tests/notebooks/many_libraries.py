"""What other people's notebooks do, in one session: each part says so when its answer is right."""

import os

import numpy as np
import pandas as pd
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", "4").getOrCreate()
sc = spark.sparkContext

# Joins and shuffles; the small side is sent to everyone, then both are large.
orders = spark.range(0, 20000, 1, 4).select("id", (f.col("id") % 100).alias("customer"), (f.col("id") % 7).alias("amount"))
customers = spark.range(100).select(f.col("id").alias("customer"), (f.col("id") % 5).alias("region"))
by_region = orders.join(f.broadcast(customers), "customer").groupBy("region").agg(f.sum("amount").alias("sum"))
small = {row.region: row.sum for row in by_region.collect()}
large = orders.join(customers.hint("merge"), "customer").groupBy("region").agg(f.sum("amount").alias("sum")).collect()
assert small == {row.region: row.sum for row in large} and sum(small.values()) == sum(i % 7 for i in range(20000))
best = orders.withColumn("rank", f.row_number().over(Window.partitionBy("customer").orderBy(f.desc("amount"), "id")))
assert best.where("rank = 1").count() == 100
print("joins")

# Python and pandas functions, one row and one batch at a time.
twice = f.udf(lambda value: value * 2, "long")
assert orders.select(twice("amount").alias("x")).agg(f.sum("x")).first()[0] == 2 * sum(i % 7 for i in range(20000))


@f.pandas_udf("double")
def centred(column: pd.Series) -> pd.Series:
    return column - 3.0


def summed(group: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"customer": [group["customer"].iloc[0]], "sum": [np.sum(group["amount"])]})


assert orders.select(centred("amount").alias("x")).agg(f.max("x")).first()[0] == 3.0
assert orders.groupBy("customer").applyInPandas(summed, "customer long, sum long").count() == 100
print("functions")

# Broadcast and accumulators.
words, seen = sc.broadcast({"a": 1, "b": 2}), sc.accumulator(0)
letters = sc.parallelize(["a", "b", "a", "c"] * 100, 4)
assert letters.map(lambda letter: words.value.get(letter, 0)).sum() == 400
letters.foreach(lambda letter: seen.add(1))
assert seen.value == 400
print("shared variables")

# Structured Streaming from files, in the user's own folder, until all of them are read.
source, target = os.path.abspath("stream-in"), os.path.abspath("stream-out")
for number in range(3):
    spark.createDataFrame([(number, n) for n in range(10)], "file int, n int").write.mode("append").json(source)
query = (spark.readStream.schema("file int, n int").json(source).writeStream.format("parquet")
         .option("checkpointLocation", os.path.abspath("stream-check")).trigger(availableNow=True).start(target))
assert query.awaitTermination(120) and query.exception() is None
assert spark.read.parquet(target).agg(f.sum("n")).first()[0] == 135
print("streaming")

# A pipeline of MLlib.
flowers = pd.DataFrame({"kind": ["low", "high"] * 50, "x": [0.1, 0.9] * 50, "y": np.linspace(0, 1, 100)})
stages = [StringIndexer(inputCol="kind", outputCol="label"), VectorAssembler(inputCols=["x", "y"], outputCol="features"),
          LogisticRegression(maxIter=5)]
model = Pipeline(stages=stages).fit(spark.createDataFrame(flowers))
right = model.transform(spark.createDataFrame(flowers)).where("prediction = label").count()
assert right == 100, right
print("pipeline")
spark.stop()
