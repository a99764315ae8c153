"""A policy of somebody else's that is named, or handed in, as the start of a run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from warmstart.api.own import load_file, short_name
from warmstart.envs.given import MARK
from warmstart.envs.interface import observations_of
from warmstart.errors import RunError, did_you_mean
from warmstart.policy.base import PROBES, BasePolicy
from warmstart.policy.carried import Carried, apart, of_onnx, of_policy
from warmstart.policy.onnx_file import onnx_base
from warmstart.recipe import Recipe
from warmstart.runs.find_policy import actor, find_policy
from warmstart.types import Dataset, HostEnv
from warmstart.user_code.trust import fingerprint, whole_name

if TYPE_CHECKING:
    from warmstart.api.declare import Declared

PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".zip")
HOW = "my_arm.py:policy, a file arm.onnx, or the folder of a run"


def named_policy(policy: Any) -> tuple[str | None, Callable[..., Any] | None]:
    """What is given as `policy`: its name in full, and the function itself where it is none.

    Raises RunError for anything else than a function, a Python file, an ONNX file or a run.
    """
    if policy is None:
        return None, None
    if callable(policy) and not isinstance(policy, str | os.PathLike):
        return f"{MARK}{getattr(policy, '__name__', type(policy).__name__)}", policy
    if not isinstance(policy, str | os.PathLike):
        raise RunError(f"a policy is a function or a path, not {policy!r}; give {HOW}")
    text = os.fspath(policy)
    if is_python(text):
        file, _, name = text.partition(":")
        return f"{whole_name(file)}:{name or 'policy'}", None
    path = Path(text).expanduser()
    if path.suffix.lower() in PICKLES:
        raise RunError(
            f"'{text}' is a pickle, which would run code while it is read; export the policy as "
            "ONNX (torch.onnx.export) and give arm.onnx, or load it in a function of your own and "
            "give my_arm.py:policy"
        )
    if not path.exists():
        raise RunError(f"there is no policy '{text}'; give {HOW}")
    if path.is_dir():
        find_policy(path, None, "latest")
    elif path.suffix.lower() != ".onnx":
        raise RunError(f"'{text}' is no policy that can be read; give {HOW}")
    return str(path.resolve()), None


def is_python(policy: str | None) -> bool:
    """Whether a policy is code of the user's file."""
    return policy is not None and policy.partition(":")[0].endswith(".py")


def digest_of(policy: str | None) -> str | None:
    """SHA-256 of what a named policy is; None where it was handed in. Nothing is run."""
    if policy is None or policy.startswith(MARK):
        return None
    if is_python(policy):
        return fingerprint(policy.rpartition(":")[0])
    path, found = Path(policy), hashlib.sha256()
    files = [path, path.with_name(path.name + ".data")]  # ONNX puts large weights beside
    if path.is_dir():
        files = sorted(file for file in find_policy(path, None, "latest").path.iterdir())
    for file in files:
        if file.is_file():
            found.update(file.read_bytes())
    return found.hexdigest()


def stands_on_base(recipe: Recipe) -> bool:
    """Whether the policy that learns corrects a base's action."""
    policy = getattr(recipe.finetune.learner, "policy", None)
    return getattr(policy, "beside_base", False)


def require_base(declared: Declared) -> None:
    """Refuse (RunError) a run that lacks a base policy, or has one that nobody needs."""
    recipe, policy = declared.recipe, declared.policy
    warms = recipe.replay.warmup.by == "base" and recipe.replay.warmup.steps > 0
    name = short_name(declared.method)
    if policy is None:
        if stands_on_base(recipe) or warms:
            what = "corrects" if stands_on_base(recipe) else "is warmed up by"
            raise RunError(
                f"{name} {what} a policy that is there already; name it with --policy (in Python "
                f"policy=): {HOW}"
            )
    elif not (stands_on_base(recipe) or warms):
        raise RunError(
            f"no answer of {name} makes use of --policy; take the method residual, or let it act "
            "in the warm-up with --set replay.warmup.by=base --set replay.warmup.steps=5000"
        )


def base_of(
    declared: Declared,
    env: HostEnv,
    interface: Mapping[str, Any],
    dataset: Dataset | None,
    trial: bool,
) -> BasePolicy | None:
    """The base policy of a run, tried on a few observations where there are any; None: it has none.

    Raises:
        RunError: none where the recipe needs one, one that nobody needs, another one than the run
            began with, or one that does not fit the environment.
        TaskError: it gives numbers that are not finite.
    """
    require_base(declared)
    policy = declared.policy
    if policy is None:
        return None
    if env.spec.cameras:
        raise RunError(
            "a base policy is shown flat numbers, and this environment observes images too; take a "
            "task without cameras"
        )
    _require_same(declared)
    base = _opened(declared, interface)
    if trial:
        base.examine(_probes(base, env, dataset, declared.task.physical))
    return base


def carried_base(declared: Declared) -> Carried | None:
    """What the policy folders of a run hold of the policy that it corrects; None: it corrects none.

    Raises RunError: that policy is not what it was when the run began.
    """
    policy = declared.policy
    if policy is None or not stands_on_base(declared.recipe):
        return None
    path = Path(policy.removeprefix(MARK))
    if policy.startswith(MARK) or is_python(policy):
        return apart(path.name, "it is code of its owner's")
    found = (
        of_onnx(path) if path.is_file() else of_policy(path.name, find_policy(path, None, "latest"))
    )
    _require_same(declared)
    return found


def _require_same(declared: Declared) -> None:
    if declared.policy_sha256 != digest_of(declared.policy):
        of_a_run = declared.policy is not None and (Path(declared.policy) / "run.json").exists()
        copied = ", from a copy of that run's policies/seed-N/latest where it goes on"
        raise RunError(
            f"the policy '{declared.policy}' is not what it was when the run began; put it back as "
            f"it was, or start a new run{copied if of_a_run else ''}"
        )


def _opened(declared: Declared, interface: Mapping[str, Any]) -> BasePolicy:
    policy = declared.policy
    assert policy is not None
    if policy.startswith(MARK):
        if declared.base is None:
            raise RunError(
                f"the policy ({policy}) was handed in from Python and stands in no file; give it "
                "again as policy="
            )
        return _called(policy.removeprefix(MARK), declared.base, interface)
    if is_python(policy):
        file, _, function = policy.rpartition(":")
        module = load_file(file)
        found = getattr(module, function, None)
        if not callable(found):
            known = [k for k, v in vars(module).items() if callable(v) and not k.startswith("_")]
            hint = did_you_mean(function, known) if known else "Define it"
            raise RunError(f"'{file}' has no function '{function}'. {hint}")
        return _called(f"{Path(file).name}:{function}", found, interface)
    path = Path(policy)
    if path.is_file():
        return onnx_base(str(path), str(path), interface)
    learnt = actor(path)
    if learnt.acts_on != "observation":
        raise RunError(
            f"the policy in '{policy}' acts on the episode so far, and a base is a function of one "
            "observation; give the run of another method"
        )
    if learnt.observations.size != observations_of(interface["observation"]).size:
        raise RunError(
            f"the policy in '{policy}' sees {learnt.observations.size} numbers, and this "
            "environment observes others; give a policy of this task"
        )
    learnt.observations.offset = None  # it is taken away already
    return BasePolicy(policy, learnt, interface, many=True)


def _called(name: str, function: Callable[..., Any], interface: Mapping[str, Any]) -> BasePolicy:
    return BasePolicy(name, function, interface, bool(getattr(function, "batched", False)))


def _probes(base: BasePolicy, env: HostEnv, dataset: Dataset | None, physical: bool) -> np.ndarray:
    """A few observations [N, O]: logged ones, or a robot's alone at 0, or the first of an episode
    that the policy acts."""
    if dataset is not None and len(dataset):
        at = np.linspace(0, len(dataset) - 1, PROBES).astype(int)
        return np.asarray(dataset.obs[at], np.float32)
    if physical:
        return np.zeros((1, env.spec.obs_dim), np.float32)
    seen = [env.reset(0)]
    while len(seen) < PROBES:
        out = env.step(base(seen[-1][None])[0])
        seen.append(out.obs)
        if out.terminated or out.truncated:
            break
    return np.stack(seen).astype(np.float32)
