"""A policy of somebody else's as the start: what it is shown, what is kept, what is refused."""

from __future__ import annotations

import dataclasses
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import SPEC, Diary, Fixed, logged

from warmstart import api
from warmstart.api import base as module
from warmstart.api.declare import declare
from warmstart.api.prepare import problem_of
from warmstart.engine.episodes import EVALUATE, episode_seed
from warmstart.envs.interface import plain_interface
from warmstart.errors import RunError, TaskError, WarmstartError
from warmstart.policy.actor import load_policy
from warmstart.policy.base import BasePolicy, Beside, beside_rows
from warmstart.replay import Layout
from warmstart.runs.records import comparable, read
from warmstart.runs.segments import Segments
from warmstart.types import EnvStep
from warmstart.user_code import trust

UNIT = plain_interface(SPEC)
WIDE = {**UNIT, "action": {**UNIT["action"], "low": [-2.0, 0.0], "high": [2.0, 10.0]}}
FILE = """
import numpy as np

def policy(obs):
    return np.clip(-0.3 * obs[:2], -1, 1)
"""
RUN: dict[str, Any] = {
    "preset": "quick", "steps": 40,
    "changes": {
        "learner.policy.net.hidden": "4", "learner.critic.net.hidden": "4", "learner.batch": "4",
        "replay.warmup.steps": "10", "finetune.rhythm.first": "2", "learner.actor_from": "2",
        "acting.over": "20", "learner.critic.members": "2",
    },
    "schedule": {
        "episodes": 1, "fixed_episodes": 1, "online_every": 0, "early": (0, 20), "log_every": 20,
    },
    "progress": False,
}  # fmt: skip


def linear(obs: np.ndarray) -> Any:
    return np.array([0.5 * obs[0] - 0.1 * obs[1], 0.2 * obs[2]], np.float32)


class Counted:
    """A policy that counts its calls and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        self.seen.append(obs)
        return linear(obs)


def base(act: Callable[..., Any] = linear, interface: Any = UNIT, many: bool = False) -> BasePolicy:
    return BasePolicy("arm", act, interface, many)


def test_rows_bear_the_base_s_action_at_both_of_their_observations() -> None:
    data, policy = logged(20), Counted()
    wide = beside_rows(data, base(policy))
    here = np.clip(np.stack([linear(obs) for obs in data.obs]), -1, 1)
    there = np.clip(np.stack([linear(obs) for obs in data.next_obs]), -1, 1)
    np.testing.assert_array_equal(wide.obs, np.concatenate([data.obs, here], axis=1))
    np.testing.assert_array_equal(wide.next_obs, np.concatenate([data.next_obs, there], axis=1))
    # Once for each row, and once more behind each episode's end, where the next row is another's.
    assert len(policy.seen) == len(data) + int(data.ends.sum())


def test_rows_that_are_not_asked_for_cost_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Not even where the row behind a span observes what came behind its last one."""
    data, policy = logged(20), Counted()
    after = data.next_obs.copy()
    after[6] = data.obs[7]
    data = dataclasses.replace(data, next_obs=after)
    whole, part = beside_rows(data, base()), beside_rows(data, base(policy), [(3, 7), (11, 12)])
    for start, stop in ((3, 7), (11, 12)):
        np.testing.assert_array_equal(part.obs[start:stop], whole.obs[start:stop])
        np.testing.assert_array_equal(part.next_obs[start:stop], whole.next_obs[start:stop])
    assert len(policy.seen) <= 5 + 5 and not part.obs[12:, -2:].any()
    caplog.set_level("INFO", "warmstart")
    slow = base()
    slow.ms = 6_000.0
    beside_rows(data, slow)
    assert "is asked at " in caplog.text and "logged rows, about 9 min" in caplog.text


def test_who_does_not_learn_from_logged_rows_asks_at_those_that_are_held_out() -> None:
    for share, asked in (("0", False), ("0.5", True)):
        policy = Counted()
        declared = declare(
            "residual", "jax-pointmass", preset="quick", policy=policy,
            changes={"share": share},
        )  # fmt: skip
        problem = problem_of(declared)
        assert problem.held_out is not None and problem.held_out[:, 4:6].any()
        assert (problem.rows is not None) == asked
        assert (len(policy.seen) > 1_500) == asked


@pytest.mark.parametrize("world", [Diary, Fixed])
def test_an_episode_in_the_environment_is_one_of_the_rows(world: type[Diary]) -> None:
    env, plain = Beside(world(), base()), world()
    assert (env.spec.obs_dim, env.spec.action_dim, env.spec.horizon) == (5, 2, SPEC.horizon)
    for seed in range(4):
        ours, theirs, over = env.reset(seed), plain.reset(seed), False
        while not over:
            np.testing.assert_array_equal(ours[:3], theirs)
            np.testing.assert_array_equal(ours[3:], np.clip(linear(theirs), -1, 1))
            out, bare = env.step(ours[3:]), plain.step(ours[3:])
            assert out[1:] == bare[1:]
            ours, theirs, over = out.obs, bare.obs, out.terminated or out.truncated
        np.testing.assert_array_equal(ours[3:], np.clip(linear(theirs), -1, 1))


def test_actions_come_in_the_environment_s_units_and_leave_in_ours() -> None:
    shown = base(lambda obs: np.array([1.0, 7.5]), WIDE)(np.zeros((2, 3), np.float32))
    np.testing.assert_allclose(shown, np.full((2, 2), 0.5), rtol=1e-6)
    at_once = base(lambda obs: obs[:, :2], many=True)(
        np.array([[0.1, -0.2, 0], [3, 0, 0]], np.float32)
    )
    np.testing.assert_array_equal(at_once, np.array([[0.1, -0.2], [1.0, 0.0]], np.float32))


@pytest.mark.parametrize("many", [False, True])
def test_what_it_does_to_its_observation_stays_its_own(many: bool) -> None:
    def spoils(obs: np.ndarray) -> Any:
        obs[...] = 9.0
        return np.zeros((*obs.shape[:-1], 2))

    data = logged(3)
    before = data.obs.copy()
    beside_rows(data, base(spoils, many=many))
    np.testing.assert_array_equal(data.obs, before)


class Remembers:
    """Whose action depends on what it was asked before."""

    def __init__(self) -> None:
        self.last = np.zeros(2)

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        self.last = np.clip(0.9 * obs[:2] + 0.1 * self.last, -1, 1)
        return self.last


def several(obs: np.ndarray) -> Any:
    """A policy of batches that gives one action for all."""
    return np.zeros((1, 2))


several.batched = True  # pyright: ignore[reportFunctionMemberAccess]


class Turns:
    def __init__(self) -> None:
        self.n = 0

    def __call__(self, obs: np.ndarray) -> list[float]:
        self.n += 1
        return [0.001 * self.n, 0.0]


def _fails(obs: np.ndarray) -> Any:
    raise KeyError("torque")


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda obs: [0.1, 0.2, 0.3], r"an action of shape \[3\], and the environment takes \[2\]"),
        (lambda obs: 0.5, r"of shape \[\]"),
        (lambda obs: ["a", "b"], "no number"),
        (lambda obs: None, "gave NoneType, which is no number"),
        (lambda obs: {"a": 1.0}, "gave dict, which is no number"),
        (lambda obs: [1j, 0.0], "gave complex128, which is no number"),
        (lambda obs: [np.inf, 0.0], r"gave \[inf, 0\] for an observation"),
        (lambda obs: [[0.1, 0.2]], r"of shape \[1, 2\]"),
        (lambda obs: sys.exit(3), "SystemExit: 3"),
        (lambda obs: [np.nan, 0.0], r"gave \[nan, 0\] for an observation that begins"),
        (
            lambda obs: [0.0, 7.0],
            "gave 7 for number 1 of an action, and the environment takes -1 t",
        ),
        (lambda obs: obs @ np.zeros((5, 2)), "failed on an observation of 3 numbers"),
        (_fails, "KeyError: 'torque'"),
        (lambda obs: [0.0] * (2 if obs[0] < 0 else 3), r"an action of shape \[3\]"),
        (lambda obs: (np.zeros(2), None), r"gave a tuple; .* as model.predict\(obs\)\[0\] does"),
        (lambda obs: np.array([1e300, 0.0]), r"gave \[inf, 0\] for an observation"),
        (several, r"an array of shape \[1, 2\] for 6 observations, .*; let it give \[6, 2\]"),
        (Remembers(), "for one observation; let it be deterministic"),
        (Turns(), "for one observation; let it be deterministic"),
    ],
)
def test_what_is_no_policy_of_this_environment_is_said_in_one_sentence(act: Any, says: str) -> None:
    with pytest.raises(WarmstartError, match=says) as refused:
        base(act, many=getattr(act, "batched", False)).examine(logged(3).obs[:6])
    assert str(refused.value).count("\n") == 0 and "arm" in str(refused.value)
    # What may happen in the middle of a run: whoever runs it then says how to go on.
    later = "failed on" in says or "Error" in says or "Exit" in says or "an observation" in says
    assert isinstance(refused.value, TaskError if later else RunError)


def test_its_time_is_measured_and_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that moves as the policy says: another machine's pace is no part of the test."""
    caplog.set_level("INFO", "warmstart")
    now, takes = [0.0], [0.004]
    monkeypatch.setattr("warmstart.policy.base.time.perf_counter", lambda: now[0])

    def policy(obs: np.ndarray) -> np.ndarray:
        now[0] += takes[0]
        return linear(obs)

    assert base(policy).examine(logged(3).obs[:6]) == pytest.approx(4)
    assert "takes 4 ms an action." in caplog.text and "slow" not in caplog.text
    takes[0] = 0.05
    assert base(policy).examine(logged(3).obs[:6]) == pytest.approx(50)
    assert "takes 50 ms an action, in every step of every environment: that is slow" in caplog.text


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("arm.pt", "is a pickle, which would run code"),
        ("nowhere.onnx", "there is no policy 'nowhere.onnx'"),
        ("notes.txt", "is no policy that can be read"),
        ("my.py:nobody", "has no function 'nobody'. Did you mean 'policy'|has no function"),
        (5, "a policy is a function or a path"),
        (None, "name it with --policy"),
    ],
)
def test_names_of_nothing(policy: Any, says: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "my.py").write_text(FILE)
    with pytest.raises(RunError, match=says):
        api.run("residual", "jax-pointmass", root=tmp_path, policy=policy, **RUN)


def test_who_makes_no_use_of_one_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no answer of sac makes use of --policy"):
        api.run("sac", "jax-pointmass", root=tmp_path, policy=linear, progress=False)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code") / "push.py"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def whole(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run on a base that stands in a file."""
    root = tmp_path_factory.mktemp("runs")
    return api.run("residual", "jax-pointmass", root=root, name="whole", policy=str(file), **RUN)


def test_a_run_names_its_policy_and_refuses_another(whole: Any, file: Path) -> None:
    facts = json.loads((whole.folder / "run.json").read_text())
    assert facts["policy"] == f"{file.resolve()}:policy" and len(facts["policy_sha256"]) == 64
    assert "--policy" in facts["command"]
    scores = api.evaluate(whole.folder)
    assert np.isfinite(scores[0]["score"])
    file.write_text(FILE.replace("0.3", "0.4"))
    try:
        with pytest.raises(RunError, match="is not what it was when the run began"):
            api.evaluate(whole.folder, allow_code=[str(file)])
    finally:
        file.write_text(FILE)


def test_a_run_that_went_on_since_is_named_as_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.json").write_text("{}")
    declared = dataclasses.replace(
        declare("residual", "jax-pointmass", preset="quick", policy=linear),
        policy=str(tmp_path), policy_sha256="ab" * 32,
    )  # fmt: skip
    monkeypatch.setattr(module, "digest_of", lambda policy: "cd" * 32)
    with pytest.raises(RunError, match=r"from a copy of that run's policies/seed-N/latest"):
        module._require_same(declared)


def test_code_that_nobody_named_does_not_run(
    whole: Any, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "_NAMED", set())
    monkeypatch.setenv("WARMSTART_STATE", str(tmp_path))
    with pytest.raises(trust.UntrustedCode, match=f"--allow-code .*{file.name}"):
        api.evaluate(whole.folder)
    assert api.evaluate(whole.folder, allow_code=[str(file)])


def test_the_first_evaluation_is_the_base_itself(whole: Any) -> None:
    """The correction's last layer begins at 0."""
    first = next(line for line in read(whole.folder) if line["kind"] == "eval")
    assert first["env_steps"] == 0
    env = problem_of(whole.declared).make_env()
    obs = env.reset(episode_seed(0, EVALUATE + 1, 0))
    total, over = 0.0, False
    while not over:
        out = env.step(obs[-2:])
        total, over, obs = total + out.reward, out.terminated or out.truncated, out.obs
    assert first["values"]["returns"] == [total]


def test_a_function_is_handed_in_and_handed_in_again(tmp_path: Path) -> None:
    """A run that is stopped goes on to the same numbers, with the function given again."""

    def push(obs: np.ndarray) -> np.ndarray:
        return np.clip(-0.3 * obs[:2], -1, 1)

    once = api.run("residual", "jax-pointmass", root=tmp_path, name="once", policy=push, **RUN)
    facts = json.loads((once.folder / "run.json").read_text())
    assert facts["policy"] == "given push" and facts["policy_sha256"] is None
    with pytest.raises(RunError, match="give it again as policy="):
        api.resume(once.folder, steps=60, progress=False)
    longer = api.resume(once.folder, steps=60, policy=push, progress=False)
    assert comparable(read(longer.folder))
    with pytest.raises(TaskError, match="gave"):
        api.evaluate(once.folder, policy=lambda obs: np.full(2, np.nan))


SMALL = {k: v for k, v in RUN.items() if k != "changes"}
NETS = {"learner.policy.net.hidden": "4", "learner.critic.net.hidden": "4", "learner.batch": "4"}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run whose policy is the start of others."""
    root, changes = tmp_path_factory.mktemp("runs"), {**NETS, "replay.warmup.steps": "10"}
    return api.run("sac", "jax-pointmass", root=root, name="before", changes=changes, **SMALL)


def test_another_run_is_the_base(before: Any, tmp_path: Path) -> None:
    """And a method of its own is warmed up by it, its critics fitted on these rows first."""
    warmed = api.run(
        "sac", "jax-pointmass", root=tmp_path, name="warmed", policy=before.folder,
        changes={
            **NETS, "replay.warmup.steps": "10", "replay.warmup.by": "base",
            "finetune.rhythm.first": "5", "finetune.learner.actor_from": "5",
        }, **SMALL,
    )  # fmt: skip
    rows = Layout(4, 2).unpack(Segments(warmed.folder / "replay").read(40)[0])
    learnt = api.actor(before.folder)
    np.testing.assert_allclose(rows.action[:10], learnt(rows.obs[:10]), atol=1e-6)
    assert np.abs(rows.action[10:] - learnt(rows.obs[10:])).max() > 0.1


def test_a_correction_leaves_with_the_run_that_it_corrects(before: Any, tmp_path: Path) -> None:
    """At scale 0 it is that run's policy to the bit, also corrected twice, and without its run."""
    last, changes = before.folder, {**RUN["changes"], "learner.policy.scale": "0"}
    obs = np.random.default_rng(0).uniform(-1, 1, (50, 4)).astype(np.float32)
    for name in ("once", "twice"):
        made = api.run(
            "residual", "jax-pointmass", root=tmp_path, name=name, policy=last,
            **{**RUN, "changes": changes},
        )  # fmt: skip
        last = made.folder
    policy = api.export(last, tmp_path / "left").folder
    moved = [before.folder.rename(before.folder.with_name("away")), last.rename(tmp_path / "gone")]
    try:
        left = load_policy(policy)
        assert (left.acts_on, left.card["base"]["name"]) == ("observation", "once")
        assert left.card["base"]["card"]["base"]["card"]["method"] == "sac"
        np.testing.assert_array_equal(left(obs), api.actor(moved[0])(obs))
    finally:
        moved[0].rename(before.folder)
    kept = pickle.loads(pickle.dumps(left))
    np.testing.assert_array_equal(kept(obs), left(obs))
    assert "`once`" in (policy / "README.md").read_text()


def test_a_correction_of_code_does_not_leave(whole: Any, tmp_path: Path) -> None:
    says = "corrects the policy 'push.py:policy', which is no part of the folder: it is code"
    with pytest.raises(RunError, match=says):
        api.export(whole.folder, tmp_path / "left")
    with pytest.raises(RunError, match="; `warmstart evaluate` of its run acts by it"):
        api.actor(whole.folder)
    card = json.loads((whole.folder / "policies" / "seed-0" / "latest" / "policy.json").read_text())
    assert card["base"]["is"] == "apart" and str(tmp_path.parent) not in json.dumps(card)


def test_in_training_the_base_acts_in_the_share_of_its_step(before: Any, tmp_path: Path) -> None:
    """40 of 160 steps: a quarter of the actions are corrected."""
    made = api.run(
        "residual", "jax-pointmass", root=tmp_path, policy=before.folder,
        **{**RUN, "changes": {**RUN["changes"], "acting.over": "160"}},
    )  # fmt: skip
    policy, base = api.actor(made.folder), api.actor(before.folder)
    obs = np.zeros((4_000, 4), np.float32)
    drawn = policy.sample(obs, np.random.default_rng(0))
    assert np.mean(np.all(drawn == base(obs), axis=1)) == pytest.approx(0.75, abs=0.03)
    assert np.abs(drawn - base(obs)).max() <= 0.3 + 1e-6


class Broken:
    """An environment that shows one number that nobody can act on."""

    spec = SPEC

    def __init__(self, bad: float) -> None:
        self.bad = bad

    def reset(self, seed: int) -> np.ndarray:
        return np.array([0.0, self.bad, 0.0], np.float32)

    def step(self, action: np.ndarray) -> EnvStep:
        return EnvStep(self.reset(0), 0.0, False, False, False)


@pytest.mark.parametrize("bad", [np.nan, 1e20])
def test_a_base_is_not_asked_about_what_nobody_can_act_on(bad: float) -> None:
    counted = Counted()
    env: Any = Broken(bad)
    both = Beside(env, BasePolicy("x", counted, UNIT))
    for obs in (both.reset(0), both.step(np.zeros(2, np.float32)).obs):
        assert np.isnan(obs[SPEC.obs_dim :]).all() and np.array_equal(obs[1], np.float32(bad), True)
    assert not counted.seen
