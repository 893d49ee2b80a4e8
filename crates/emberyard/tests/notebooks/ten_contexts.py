"""Ten contexts one after the other, in one kernel."""

import pyspark

for number in range(10):
    sc = pyspark.SparkContext(conf=pyspark.SparkConf().set("spark.executor.instances", "1"))
    assert sc.parallelize(range(100)).sum() == 4950
    sc.stop()
    print("context", number)
