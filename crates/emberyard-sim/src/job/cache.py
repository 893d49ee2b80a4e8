kept = spark.range(0, 50000, 1, 8).rdd.mapPartitions(slowly).map(lambda row: (row.id, row.id * 3)).toDF(["id", "three"]).cache()
answer = 0
for i in range(5):
    answer += kept.selectExpr(f"three + {i} as more").agg(total("more")).first()[0]
    time.sleep(0.7)
print(answer)
_ = kept.unpersist()
