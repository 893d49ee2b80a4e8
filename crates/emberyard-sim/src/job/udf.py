import pandas


@pandas_udf("long")
def twice(ids: pandas.Series) -> pandas.Series:
    time.sleep(0.1)
    return ids * 2


@udf("long")
def rest(i):
    return i % 7


table = spark.range(0, 20000, 1, 8).select(twice("id").alias("twice"), rest("id").alias("rest"))
slow = table.rdd.mapPartitions(slowly).toDF(["twice", "rest"])
parts = slow.groupBy("rest").agg(total(col("twice") + col("rest")).alias("part"))
answer = parts.agg(total("part")).first()[0]
print(answer)
