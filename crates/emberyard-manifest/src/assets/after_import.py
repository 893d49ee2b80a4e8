"""Does something with a module as soon as it is there, without importing it."""

import importlib.util
import sys


class AfterImport:
    """Lets Python find the modules of a table as ever, then hands each to its function."""

    def __init__(self, table):
        self.table = table

    def find_spec(self, name, path=None, target=None):
        if name not in self.table:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def then(module):
            execute(module)
            self.table[name](module)

        spec.loader.exec_module = then
        return spec


def after_import(table):
    sys.meta_path.insert(0, AfterImport(table))
