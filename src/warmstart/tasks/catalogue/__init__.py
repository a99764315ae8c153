from warmstart.tasks.catalogue.custom import custom_task as custom_task
from warmstart.tasks.catalogue.packages import PACKAGES as PACKAGES
from warmstart.tasks.catalogue.packages import Package as Package
from warmstart.tasks.catalogue.packages import package_of as package_of
from warmstart.tasks.catalogue.table import DEFAULT_TASK as DEFAULT_TASK
from warmstart.tasks.catalogue.table import TASKS as TASKS
from warmstart.tasks.catalogue.table import get_task as get_task
