"""How a parallel run deals out the tests: the scheduler of pytest-xdist."""

import re

from xdist.scheduler import LoadScopeScheduling

# Begun first, the longest before the others, so that nobody waits for them at the end.
LONG = ["serving/test_python_workers", "serving/test_mlflow_scoring", "console/test_accessibility", "console/", "test_models",
        "durability/test_migrations.py postgres", "durability/test_failing", "durability/test_serving_soak", "durability/"]


class FileScheduling(LoadScopeScheduling):
    """The tests of one file on one database stay together, since they share what its fixtures make."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        database = re.search(r"[\[-](sqlite|postgres)[\]-]", test)
        return f"{file} {database[1]}" if database else file

    def _assign_work_unit(self, node) -> None:
        places = {scope: next((place for place, prefix in enumerate(LONG) if scope.startswith(prefix)), len(LONG))
                  for scope in self.workqueue}
        self.workqueue.move_to_end(min(places, key=places.get), last=False)
        super()._assign_work_unit(node)
