"""Five additions as files outside of the package, each under 80 lines, none touching it."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import QUIET, SPEC, finish, learnt, logged, rows_of, trainer

import warmstart as ws
from warmstart.cli import main
from warmstart.handover import table_of
from warmstart.methods import td3_bc
from warmstart.parts import Fixed, MaximiseQ
from warmstart.recipe import Recipe
from warmstart.replay import Layout
from warmstart.runs.records import read
from warmstart.state import Optimiser
from warmstart.types import Clock, Spec, Transition
from warmstart.values import register

HERE = Path(__file__).parents[1] / "examples"
FILES = sorted(HERE.glob("*.py"))
SMALL = {
    "learner.batch": 4,
    "learner.policy.net.hidden": (8,),
    "learner.critic.net.hidden": (8,),
    "finetune.steps": 24,
    "pretrain.0.updates": 12,
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_is_short_and_changes_nothing_of_the_package(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 80
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            assert isinstance(node.value, ast.Name) and node.value.id == "self"


def module(name: str) -> ModuleType:
    """A file of this folder, as the command line imports it."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def small(recipe: Recipe) -> Recipe:
    for path, value in SMALL.items():
        if path != "learner.critic.net.hidden" or recipe.finetune.learner.critic is not None:
            recipe = recipe.with_(path, value)
    return recipe


def test_a_weight_follows_the_critics_error() -> None:
    own = module("td_weight")
    recipe = small(own.recipe("quick")).with_("learner.actor_every", 1)
    assert Recipe.from_json(recipe.to_json()) == recipe
    run = trainer(recipe, schedule=dataclasses.replace(QUIET, log_every=1))
    lines = [e.values for e in finish(run) if e.kind == "train" and e.phase == "pretrain"]
    rule, mean = own.FollowsTD(), 0.0
    assert len(lines) == 12 and len({line["td_loss"] for line in lines}) > 6
    for line in lines:  # the actor's step comes behind the critics' of the same update
        mean += rule.smoothing * (line["td_loss"] - mean)
        wanted = rule.base * mean / (mean + rule.scale)
        assert line["constraint_weight"] == pytest.approx(wanted, rel=1e-4)


def test_a_policy_is_a_flow() -> None:
    own = module("flow")
    recipe = small(own.recipe())
    assert Recipe.from_json(recipe.to_json()) == recipe
    events = finish(trainer(recipe, schedule=dataclasses.replace(QUIET, log_every=4)))
    losses = [e.values["actor_loss"] for e in events if e.kind == "train" and e.phase == "pretrain"]
    assert losses and np.isfinite(losses).all()


def test_a_policy_of_ones_own_kind_acts_in_its_run_and_is_refused_by_name_elsewhere(
    tmp_path: Path,
) -> None:
    recipe = small(module("flow").recipe()).with_("finetune.steps", 4)
    looks = {"episodes": 1, "fixed_episodes": 2, "films": False}
    run = ws.run(recipe, "jax-pointmass", root=tmp_path, progress=False, schedule=looks)
    final = [line for line in read(run.folder) if line.get("tag") == "final"]
    played = ws.evaluate(run.folder, episodes=2)[0]
    assert played["returns"] == final[0]["values"]["returns"]
    for leave in (ws.actor, lambda folder: ws.export(folder, tmp_path / "left")):
        with pytest.raises(ws.WarmstartError, match="of the kind 'flow' has no form in NumPy"):
            leave(run.folder)
    assert not (tmp_path / "left").exists()


def test_a_flow_samples_what_it_was_fitted_to() -> None:
    """Two opposite actions, half and half: a Gaussian would answer with their mean."""
    own = module("flow")
    learner = own.recipe().finetune.learner
    learner = dataclasses.replace(learner, actor_optimiser=Optimiser(3e-3))
    state = learner.init(jax.random.key(0), Spec(1, 1))
    rng, zeros = np.random.default_rng(0), np.zeros(256, np.float32)
    clock = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))
    update = jax.jit(learner.update)
    for k in range(400):
        action = rng.choice([-0.8, 0.8], (1, 256, 1)).astype(np.float32)
        obs = np.ones((1, 256, 1), np.float32)
        flat = zeros[None]
        batch = Transition(obs, action, flat, flat, obs, flat, flat, flat, flat, flat)
        state, _ = update(jax.random.key(k), clock, state, batch)
    policy = learner.view(state).policy(jnp.ones((1, 1)))
    drawn = np.asarray(policy.sample(jax.random.key(9), (2_000,))).ravel()
    assert np.mean(np.abs(np.abs(drawn) - 0.8) < 0.2) > 0.85
    assert 0.3 < np.mean(drawn > 0) < 0.7


def test_an_extra_network_learns_and_crosses() -> None:
    own = module("behaviour")
    recipe = small(own.recipe("quick"))
    assert Recipe.from_json(recipe.to_json()) == recipe
    run = trainer(recipe, schedule=dataclasses.replace(QUIET, log_every=3))
    events = list(run.run("pretrained"))
    before = learnt(run)[0].nets["behaviour"]
    errors = [e.values["behaviour_error"] for e in events if e.kind == "train"]
    assert errors[-1] < errors[0]
    learner = recipe.finetune.learner
    table = table_of(recipe.handover, recipe.pretrain[-1].learner, learner, run.problem.spec)
    crossed = {row.component: row.outcome for row in table}
    assert crossed["behaviour"] == crossed["behaviour moments"] == "kept"
    finish(run)
    after = learnt(run)[0].nets["behaviour"]
    moved = jax.tree.map(lambda a, b: float(np.abs(a - b).max()), before, after)
    assert max(jax.tree.leaves(moved)) > 0  # and goes on learning online


@register
@dataclasses.dataclass(frozen=True)
class NearDrawn:
    """A constraint that draws: it holds the actor near the logged action, and some noise."""

    weight: Fixed = Fixed(0.1)

    def __call__(self, key: Any, view: Any, net: Any, batch: Any) -> Any:
        noise = 0.1 * jax.random.normal(key, batch.action.shape)
        away = view.policy(batch.obs, net).mode() - (batch.action + noise)
        return jnp.mean(away**2), {"noise": noise[0, 0]}


@register
@dataclasses.dataclass(frozen=True)
class Follows(MaximiseQ):
    """A term of the actor's loss that follows the newest TD error of the critics."""

    def signals(self) -> dict[str, Any]:
        return {"newest_td": jnp.zeros((), jnp.float32)}

    def read(self, signals: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
        return {**signals, "newest_td": metrics.get("td_loss", signals["newest_td"])}

    def __call__(self, key: Any, view: Any, net: Any, batch: Any, alpha: Any) -> Any:
        loss, info = super().__call__(key, view, net, batch, alpha)
        return loss, {**info, "followed": view.state.signals["newest_td"]}


def test_a_constraint_draws_and_a_part_that_is_no_weight_reads_the_metrics() -> None:
    plain = dataclasses.replace(td3_bc.learner(hidden=(4,)), actor_every=1)
    own = dataclasses.replace(plain, constraint=NearDrawn(), improvement=Follows("first"))
    keys, clock = (
        [jax.random.key(k) for k in range(2)],
        Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1)),
    )
    batch = jax.tree.map(
        lambda x: jnp.asarray(x)[None], Layout.of(SPEC).unpack(rows_of(logged())[:5])
    )
    seen, others = [], []
    for learner, out in ((own, seen), (plain, others)):
        state, update = learner.init(jax.random.key(0), SPEC), jax.jit(learner.update)
        for key in keys:
            state, metrics = update(key, clock, state, batch)
            out.append({k: float(v) for group in metrics.values() for k, v in group.items()})
    assert seen[0]["noise"] != seen[1]["noise"]
    assert [step["followed"] for step in seen] == [step["td_loss"] for step in seen]
    assert seen[0]["td_loss"] == others[0]["td_loss"]  # the draw leaves the others' alone


def test_two_networks_of_one_name_are_refused() -> None:
    own = module("behaviour")
    with pytest.raises(ws.WarmstartError, match="two networks of this learner are called 'actor'"):
        own.recipe("quick").with_("learner.extras", (own.Behaviour(name="actor"),))


def test_an_action_is_held_for_five_steps() -> None:
    own = module("chunks")
    recipe = small(own.recipe("quick")).with_("acting.length", 2)
    assert Recipe.from_json(recipe.to_json()) == recipe
    run = trainer(recipe, schedule=QUIET)
    finish(run)
    ring = learnt(run)[1]
    rows = Layout.of(run.problem.spec).unpack(ring.rows[0])
    online = np.flatnonzero(rows.online)
    assert len(online) == 24
    for i in online:
        if rows.t[i] % 2:  # the second step of a chunk: an episode's end empties it
            assert (rows.action[i] == rows.action[i - 1]).all()
        elif i - 1 in online:
            assert (rows.action[i] != rows.action[i - 1]).any()


SIZE = ["--set", "finetune.learner.policy.net.hidden=8", "--set", "finetune.learner.batch=8"]
SIZE += ["--set", "finetune.learner.critic.net.hidden=8", "--set", "replay.warmup.steps=20"]
LOOK = ["--episodes", "2", "--fixed-episodes", "2", "--no-films", "--steps", "120"]


def test_a_jax_environment_of_ones_own_is_trained_in_the_compiled_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_cart.py").write_text((HERE / "cart.py").read_text())
    words = ["run", "sac", "--env", "my_cart.py:Rail", "--env-arg", "horizon=30", *SIZE, *LOOK]
    assert main([*words, "--name", "first"]) == 0
    ends = [line for line in read(Path("runs/first")) if line["kind"] == "episode"]
    assert len(ends) == 4 and {line["values"]["length"] for line in ends} == {30}
    assert main(["evaluate", "runs/first", "--episodes", "2"]) == 0
    given = module("cart").Rail(horizon=30)
    changes = {
        "finetune.learner.policy.net.hidden": (8,),
        "finetune.learner.critic.net.hidden": (8,),
        "finetune.learner.batch": 8,
        "replay.warmup.steps": 20,
    }
    again = ws.run(
        "sac", given, steps=120, changes=changes, name="second",
        schedule={"episodes": 2, "fixed_episodes": 2, "films": False},
    )  # fmt: skip
    both = [
        [line["values"]["return"] for line in read(folder) if line["kind"] == "episode"]
        for folder in (Path("runs/first"), again.folder)
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Spec(obs_dim=2, action_dim=1, horizon=horizon)", "None", "says no sizes"),
        ("obs_dim=2", "obs_dim=3", "observes (2,) after a reset"),
        ("return cart, obs, reward,", "return cart, obs,", "answers a step with 5 values"),
        ("cart.t + 1)", "1.0 + cart.t)", "other shapes or types after a step"),
        ("-jnp.abs(cart.place), jnp", "-jnp.abs(obs), jnp", "cannot be compiled"),
        ("reward, arrived = -jnp.abs(cart.place)", "reward, arrived = -jnp.ones(2)", "an array"),
    ],
)
def test_a_jax_environment_that_is_none(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (HERE / "cart.py").read_text()
    assert old in text
    file = tmp_path / f"wrong_{abs(hash((old, new)))}.py"
    file.write_text(text.replace(old, new))
    words = ["run", "sac", "--env", f"{file}:Rail", *SIZE, *LOOK, "--root", str(tmp_path / "runs")]
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_a_jax_environment_with_another_time_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "limited.py"
    file.write_text((HERE / "cart.py").read_text())
    words = ["run", "sac", "--env", f"{file}:Rail", "--horizon", "9", *SIZE, *LOOK]
    assert main([*words, "--root", str(tmp_path)]) == 2
    assert "counts its own time limit, 50 steps" in capsys.readouterr().err
