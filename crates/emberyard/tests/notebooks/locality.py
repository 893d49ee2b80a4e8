# Reads a file of small blocks, and tells how many of the tasks were local.
import json
import time
import urllib.request

from pyspark.sql import SparkSession

MIB = 1 << 20
builder = SparkSession.builder.config("spark.hadoop.dfs.blocksize", MIB)
spark = builder.config("spark.sql.files.maxPartitionBytes", MIB).getOrCreate()
sc = spark.sparkContext
path = "/user/hdfs/test/local.csv"
# A folder that was listed before the executors came is read by them as well.
spark.range(200000).selectExpr("id", "repeat('x', 60)").repartition(2).write.csv(path)
frame = spark.read.csv(path)
while sc._jsc.sc().getExecutorMemoryStatus().size() < 3:
    time.sleep(0.2)
assert frame.count() == 200000
assert sc.textFile(path).count() == 200000
for form in ("parquet", "orc"):
    columns = spark.range(100000).selectExpr("id", "sha2(cast(id as string), 256) as text").repartition(2)
    columns.write.option("compression", "none").format(form).save(f"{path}.{form}")
    assert spark.read.format(form).load(f"{path}.{form}").selectExpr("sum(length(text))").first()[0] == 6400000


def ask(what):
    port = sc.uiWebUrl.rsplit(":", 1)[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/applications/{sc.applicationId}/{what}") as answer:
        return json.load(answer)


time.sleep(2)  # the page is a little behind
tasks = []
for stage in ask("stages?status=complete"):
    if stage["inputBytes"] > MIB:
        tasks += ask(f"stages/{stage['stageId']}/{stage['attemptId']}/taskList?length=1000")
local = sum(task["taskLocality"] == "NODE_LOCAL" for task in tasks)
print("local", local, "of", len(tasks))
# The session ends with its kernel: what is said after the cell needs it.
