import os
import pyspark

home = os.path.dirname(pyspark.__file__)
os.makedirs("/tmp/spark")  # local-cluster's workers write below SPARK_HOME
for name in os.listdir(home):
    os.symlink(os.path.join(home, name), os.path.join("/tmp/spark", name))
os.environ["SPARK_HOME"] = "/tmp/spark"
