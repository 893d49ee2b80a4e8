import os, time

HERTZ = os.sysconf("SC_CLK_TCK")


def age():
    """Seconds since this process began."""
    with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
        return float(uptime.read().split()[0]) - int(stat.read().rpartition(")")[2].split()[19]) / HERTZ


from pyspark.sql import SparkSession

builder = SparkSession.builder
if "@MASTER@":
    builder = builder.master("@MASTER@")
df = builder.getOrCreate().createDataFrame([(1, "one"), (2, "two")], ["number", "name"])
df.show()
print("\nshown", age(), flush=True)
SparkSession.builder.getOrCreate().stop()
