import os, time
import pyspark

conf = pyspark.SparkConf()
if "@MASTER@":  # stock Spark, alone: nothing of a notebook's settings
    home = os.path.dirname(pyspark.__file__)
    os.makedirs("/tmp/spark")  # local-cluster's workers write below SPARK_HOME
    for name in os.listdir(home):
        os.symlink(os.path.join(home, name), os.path.join("/tmp/spark", name))
    os.environ["SPARK_HOME"] = "/tmp/spark"
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
