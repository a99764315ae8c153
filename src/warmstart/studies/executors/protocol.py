"""What a study asks of whatever does its units of work."""

from __future__ import annotations

from typing import Literal, Protocol

from warmstart.errors import RunError
from warmstart.studies.work import Work

State = Literal["waiting", "running", "done", "failed"]


class Executor(Protocol):
    """Takes units of work, says how they stand, and gives them up.

    What a unit came to lies in its folder and among the results; an executor moves no numbers,
    unless it works on machines that share no disk with this one.
    """

    def submit(self, work: Work) -> None:
        """Take a unit; it begins when there is room. One that failed may be submitted again."""
        ...

    def poll(self) -> dict[str, State]:
        """How every unit stands that was submitted, by `Work.name`."""
        ...

    def why(self, name: str) -> str:
        """One sentence on a unit that failed."""
        ...

    def cancel(self) -> None:
        """Ask every unit to save itself and stop, and wait for that."""
        ...


def make_executor(where: str, workers: int) -> Executor:
    """The executor of this name: `local`, `ray` or `slurm`.

    Raises:
        RunError: an unknown name, or a package that is not installed.
    """
    if workers < 1:
        raise RunError(f"--workers {workers} leaves nobody to work; give 1 or more")
    if where == "local":
        from warmstart.studies.executors.local import Local

        return Local(workers)
    try:
        if where == "ray":
            from warmstart.studies.executors.on_ray import OnRay

            return OnRay(workers)
        if where == "slurm":
            from warmstart.studies.executors.slurm import OnSlurm

            return OnSlurm()
    except ModuleNotFoundError as error:
        raise RunError(
            f"--on {where} needs the package {error.name}, which is not installed; "
            f"install it with: pip install 'warmstart[{where}]'"
        ) from error
    raise RunError(f"--on {where} is no place to work; choose local, ray or slurm")
