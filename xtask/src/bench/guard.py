import time
from pyspark.sql import SparkSession, functions as f

builder = SparkSession.builder.config("spark.executor.memory", "@HEAP@m").config("spark.sql.shuffle.partitions", "8")
if "@MASTER@":  # stock Spark, alone: nothing of a notebook's settings
    builder = builder.master("@MASTER@")
else:
    builder = builder.config("spark.executor.instances", "2")
spark = builder.getOrCreate()
while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 3:
    time.sleep(0.02)

rows = spark.range(0, 2_000_000, numPartitions=8).selectExpr("id", "id % 5003 as key", "sha1(cast(id as string)) as text")
names = spark.range(5003).selectExpr("id as key", "concat('name ', id) as name")


@f.udf("long")
def digits(text):
    return sum(letter.isdigit() for letter in text)


@f.pandas_udf("double")
def scaled(numbers):
    return (numbers - numbers.mean()) / 7.0


def sql():
    """Join, aggregation and sort: code that Spark generates, and a shuffle of strings."""
    found = rows.join(names.hint("merge"), "key").groupBy("name").agg(f.count("*"), f.max("text"), f.avg("id"))
    return found.orderBy("name").count()


def objects():
    """Aggregation into lists: many small objects that live for a while."""
    return rows.groupBy("key").agg(f.collect_list("text").alias("texts")).selectExpr("sum(size(texts))").first()[0]


def udfs():
    """Rows to Python and back, one by one and in batches."""
    some = rows.limit(150_000)
    return some.select(f.sum(digits("text")), f.sum(scaled("id"))).first()


def shuffle():
    """Pairs of Python."""
    pairs = spark.sparkContext.parallelize(range(300_000), 8).map(lambda i: (i % 997, i))
    return pairs.reduceByKey(lambda a, b: a + b).count()


done, begin = 0, time.monotonic()
while time.monotonic() - begin < 60:
    assert (sql(), objects(), shuffle()) == (5003, 2_000_000, 997)
    udfs()
    done += 1
    print("round", done, time.monotonic() - begin, flush=True)
print("\nrounds a minute", 60 * done / (time.monotonic() - begin), flush=True)
spark.stop()
