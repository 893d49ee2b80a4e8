import time
import pyspark

conf = pyspark.SparkConf()
if "@MASTER@":  # stock Spark, alone: nothing of a notebook's settings
    conf.setMaster("@MASTER@")
else:
    conf.set("spark.executor.instances", "@EXECUTORS@")
    if "@START@":
        conf.set("spark.executorEnv.EMBERYARD_FAST_START", "@START@")
time.sleep(@IDLE@)  # a kernel that its user has just opened, and thinks
begin = time.monotonic()
sc = pyspark.SparkContext(conf=conf)
# The driver counts itself.
while sc._jsc.sc().getExecutorMemoryStatus().size() < @EXECUTORS@ + 1:
    time.sleep(0.02)
print("\nregistered", time.monotonic() - begin, flush=True)
sc.stop()
