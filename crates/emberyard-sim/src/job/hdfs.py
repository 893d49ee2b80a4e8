place = "hdfs:///tmp/rehearsal-job"
rows = spark.range(0, 40000, 1, 8).rdd.mapPartitions(slowly).map(lambda row: (row.id, row.id * 3))
rows.toDF(["id", "three"]).write.mode("overwrite").parquet(place)
read = spark.read.parquet(place).rdd.mapPartitions(slowly).toDF(["id", "three"])
answer = read.agg(total("three")).first()[0]
print(answer)
