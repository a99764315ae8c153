"""Policy folders of small networks, without a run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.acting import Sampled
from warmstart.nets.pixels import EncoderSpec
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.policy.describe import acting_part
from warmstart.policy.folder import write_policy
from warmstart.state import State
from warmstart.types import Camera, Spec
from warmstart.views import View

OBS, ACTIONS = 5, 3
LOW, HIGH = np.array([-2.0, 0.0, 1.5]), np.array([4.0, 10.0, 2.0])
"""An action box of which no axis is centred on 0."""
FLAT = {"parts": [{"path": [], "shape": [OBS]}], "ignored": [], "offset": None}
BOX = {"shape": [ACTIONS], "dtype": "float64", "low": LOW.tolist(), "high": HIGH.tolist()}
SMALL = PolicySpec(NetSpec((16, 8)))


def boxed(unit: Any) -> np.ndarray:
    """Actions in [-1, 1] in the units of the box."""
    return LOW + (np.asarray(unit, np.float64) + 1.0) / 2.0 * (HIGH - LOW)


def state_of(actor: Any, pretrained: Any = None, **more: Any) -> State:
    """A state that acts; `more` are its other networks, `signals` its signals."""
    stats = {
        "mean": jnp.arange(5.0),
        "var": jnp.arange(5.0) + 0.5,
        "count": jnp.float32(9),
        "return_low": jnp.float32(-3.0),
        "return_high": jnp.float32(5.0),
        "return_scale": jnp.float32(5.0),
    }
    frozen = (
        {}
        if pretrained is None
        else {"actor": pretrained, "stats": {**stats, "mean": stats["mean"] + 1}}
    )
    signals = more.pop("signals", {})
    return State({"actor": actor, **more}, {}, {}, frozen, stats, signals)


def put(
    path: Path,
    view: View,
    rule: Any,
    observation: Any = None,
    action: Any = None,
    reward: tuple[float, float] = (1.0, 0.0),
) -> Path:
    """The policy folder of a view and a rule."""
    part, tensors = acting_part(view, rule)
    card = {
        "method": "iql",
        "seed": 3,
        "observation": observation or FLAT,
        "action": action or BOX,
        "reward": {"scale": reward[0], "bias": reward[1]},
        "step": {"phase": "online", "stage": 0, "updates": 5, "env_steps": 7},
        **part,
    }
    write_policy(path, card, tensors)
    return path


def small_view(seed: int = 0) -> View:
    """A squashed Gaussian on scaled observations."""
    net = SMALL.build(jax.random.key(seed), OBS, ACTIONS)
    return View(state_of(net), "squashed", "dataset")


def sighted(path: Path, kind: str, numbers: int, **more: Any) -> Path:
    """The folder of a policy with two cameras of odd sizes, a stack among them."""
    cameras = (Camera("top", (13, 10, 3)), Camera("wrist", (9, 12, 6)))
    spec = Spec(numbers + sum(camera.size for camera in cameras), ACTIONS, 9, cameras)
    policy, encoder = PolicySpec(NetSpec((16, 8)), kind=kind, **more), EncoderSpec((4, 6), (2, 1))

    def behind(width: int) -> Any:
        return policy.build(jax.random.key(3), width, ACTIONS)

    state = state_of(encoder.around(jax.random.key(4), spec, behind))
    stats = {k: v[:numbers] if np.ndim(v) else v for k, v in state.stats.items()}
    parts: list[Any] = [{"path": ["arm"], "shape": [numbers]}] if numbers else []
    parts += [{"path": [c.name], "shape": [*c.shape], "dtype": "uint8"} for c in cameras]
    view = View(state.replace(stats=stats), policy.distribution, "dataset")
    return put(path, view, Sampled(), {"parts": parts, "ignored": [], "offset": None})


def bare_shelf(folder: Path) -> Path:
    """A folder for `sys.path` that holds NumPy, safetensors and this package, and nothing else."""
    shelf = folder / "shelf"
    shelf.mkdir()
    for name in ("numpy", "safetensors", "warmstart"):
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        place = Path(spec.origin).parent
        for each in (place, place.with_name(f"{name}.libs")):
            if each.exists():
                (shelf / each.name).symlink_to(each)
    return shelf
