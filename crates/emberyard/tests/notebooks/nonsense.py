"""Nonsense in settings: each is refused with a word that tells which one, or goes on and does no harm."""

import time

import pyspark

NONSENSE = [
    ("spark.executor.instances", "-1", "spark.executor.instances is -1"),
    ("spark.executor.instances", "many", "The value 'many' in the config \"spark.executor.instances\" is invalid"),
    ("spark.dynamicAllocation.enabled", "perhaps", "The value 'perhaps' in the config"),
    ("spark.executor.memory", "lots", "Failed to parse byte string: lots"),
    ("spark.executor.memory", "1k", "Please increase executor memory"),
    ("spark.executor.memoryOverhead", "-5g", "Failed to parse byte string: -5120"),
    ("spark.executor.cores", "0", "number of cores per executor (=0)"),
    ("spark.executor.cores", "x", "The value 'x' in the config \"spark.executor.cores\" is invalid"),
    ("spark.kubernetes.executor.request.cores", "nonsense", "request.cores is nonsense"),
    ("spark.kubernetes.executor.request.cores", "-1", "request.cores is -1"),
    ("spark.kubernetes.allocation.batch.size", "0", "spark.kubernetes.allocation.batch.size"),
    ("spark.driver.port", "99999", "startPort should be between"),
    ("spark.ui.port", "x", "The value 'x' in the config \"spark.ui.port\" is invalid"),
    ("spark.kubernetes.namespace", "nobody", "in the namespace \"nobody\""),
    ("spark.kubernetes.driver.pod.name", "nobody", "No pod was found named nobody"),
    ("spark.kubernetes.executor.volumes.hostPath.folder.mount.path", "nowhere", "mounted at an absolute path"),
    ("spark.kubernetes.container.image", "no/such:image", None),
]
for key, value, wanted in NONSENSE:
    conf = pyspark.SparkConf().set("spark.executor.instances", "1").set(key, value)
    conf.set("spark.scheduler.maxRegisteredResourcesWaitingTime", "6s")
    try:
        sc = pyspark.SparkContext(conf=conf)
    except Exception as error:
        assert wanted and wanted in str(error), f"{key}={value}: {error}"
    else:
        assert wanted is None, f"{key}={value} was taken"
        time.sleep(1)
        sc.stop()
print("nonsense refused")
