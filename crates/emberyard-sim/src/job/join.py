spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
left = spark.range(0, 30000, 1, 6).rdd.mapPartitions(slowly).map(lambda row: (row.id, row.id)).toDF(["id", "a"])
right = spark.range(0, 30000, 3, 6).rdd.mapPartitions(slowly).map(lambda row: (row.id, row.id + 1)).toDF(["id", "b"])
answer = left.join(right, "id").selectExpr("a + b as both").agg(total("both")).first()[0]
print(answer)
