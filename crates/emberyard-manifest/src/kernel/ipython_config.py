"""Loaded before ipython_kernel_config.py, which says where extensions lie."""

c = get_config()  # noqa: F821
c.InteractiveShellApp.extra_extensions = ["spark_settings", "spark_interrupt"]
