"""Kernels of an Emberyard notebook: extensions from the folder of this file."""

import os
import site
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
# Where `%pip install` puts packages. Python looks there only if the folder is there when it starts: the first package
# could not be imported before the kernel's next start.
os.makedirs(site.getusersitepackages(), exist_ok=True)
site.addsitedir(site.getusersitepackages())
c = get_config()  # noqa: F821
c.InteractiveShellApp.extensions = ["spark_guard", "spark_interrupt", "spark_news", "spark_settings", "spark_warm"]
