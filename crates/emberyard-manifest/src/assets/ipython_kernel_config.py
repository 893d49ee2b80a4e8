"""Kernels of an Emberyard notebook: extensions from the folder of this file."""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
c = get_config()  # noqa: F821
c.InteractiveShellApp.extensions = ["spark_guard", "spark_news", "spark_warm"]
