"""An agent in its user's own loop."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import jax
import numpy as np
import pytest
from driven import ID, Loop, Reach, agent, logged, ready, recipe, weights
from tiny import same_bits

import warmstart as ws
from warmstart.errors import RunError, TaskError
from warmstart.policy.folder import read_policy
from warmstart.replay import Mixed

QUIET = {"episodes": 1, "fixed_episodes": 1, "offline_every": 0, "online_every": 0, "early": ()}


@pytest.mark.parametrize("method", ["wsrl", "odt"])
def test_driven_by_hand_it_learns_to_the_bits_of_a_run(method: str, tmp_path: Path) -> None:
    made = recipe(method)
    done = ws.run(
        made,
        ID,
        data=logged(),
        holdout=0.0,
        seeds=[5],
        root=tmp_path,
        progress=False,
        schedule={**QUIET, "films": False, "compare": False},
    )
    learner = ready(made, seed=5)
    Loop(learner).go(30)
    learner.save(tmp_path / "mine")
    mine = read_policy(tmp_path / "mine").tensors
    theirs = read_policy(done.folder / "policies" / "seed-5" / "latest").tensors
    assert mine.keys() == theirs.keys()
    for name, tensor in mine.items():
        assert tensor.tobytes() == theirs[name].tobytes(), name
    returns = [m["values"]["return"] for m in done.metrics if m["kind"] == "episode"]
    assert len(returns) > 3


@pytest.mark.parametrize("method", ["jsrl", "qc_fql"])
def test_saved_and_loaded_in_the_middle_of_an_episode_it_goes_on_to_the_same_bits(
    method: str, tmp_path: Path
) -> None:
    made = recipe(method)  # its acting rule remembers where in the episode, or chunk, it is
    loop = Loop(ready(made)).go(12)
    while loop.over or (method == "qc_fql" and _left(loop.agent) in (0, 3)):
        loop.go(1)
    loop.agent.save(tmp_path / "kept")
    loop.agent.save(tmp_path / "kept")  # over itself
    again = Loop(ws.Agent.load(tmp_path / "kept", data=logged()), loop.env)
    again.over = loop.over
    assert again.agent.steps == loop.agent.steps
    state = loop.env.unwrapped.__dict__.copy()
    expected = weights(loop.go(9).agent)
    loop.env.unwrapped.__dict__.update(state)
    same_bits(weights(again.go(9).agent), expected)


def _left(agent: ws.Agent) -> int:
    """Actions of the chunk that are not executed yet."""
    memory = agent._live.trainer.memory.host()
    return int(memory["left"][0, 0])


def test_loaded_where_neither_data_nor_environment_are_it_predicts(tmp_path: Path) -> None:
    learner = ready("rlpd", Reach())
    Loop(learner, Reach()).go(6)
    learner.save(tmp_path / "kept")
    obs = Reach().reset(seed=1)[0]
    expected, _ = learner.predict(obs)
    alone = ws.Agent.load(tmp_path / "kept")
    action, state = alone.predict(obs)
    np.testing.assert_array_equal(action, expected)
    assert state is None and Reach.action_space.contains(action)
    many = {key: np.stack([value] * 3) for key, value in obs.items()}
    np.testing.assert_allclose(alone.predict(many)[0], [action] * 3, rtol=1e-6)
    np.testing.assert_array_equal(ws.actor(tmp_path / "kept")(obs), action)
    drawn = alone.predict(obs, deterministic=False)[0]
    assert not np.array_equal(drawn, action)
    with pytest.raises(ws.WarmstartError, match="data="):  # rlpd draws logged rows
        alone.learn()
    with pytest.raises(ws.WarmstartError, match="not those"):
        ws.Agent.load(tmp_path / "kept", Reach(), data=logged(5)).learn()
    again = ws.Agent.load(tmp_path / "kept", Reach(), data=logged())
    assert again.steps == 6
    Loop(again, Reach()).agent.break_off()
    Loop(again, Reach()).go(3)

    class Wider(Reach):
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))

    with pytest.raises(TaskError, match="action space is not the one"):
        ws.Agent.load(tmp_path / "kept", Wider())


def test_units_are_the_environments_and_a_foreign_action_is_what_is_stored() -> None:
    learner = ready("wsrl", Reach)
    env, layout = Reach(), learner._live.stepper.online.layout
    learner.begin(env.reset(seed=learner.reset_seed())[0])
    chosen = learner.act()
    assert chosen.shape == (2,) and chosen.dtype == np.float32
    *answer, info = env.step(chosen)
    learner.observe(*answer, info, action=chosen)
    learner.act()
    limited = np.array([0.5, 1.0], np.float32)  # of 0 to 2, and of -3 to 5
    *answer, info = env.step(limited)
    learner.observe(*answer, info, action=limited)
    learner.act()
    *answer, info = env.step(np.array([2.0, 5.0], np.float32))
    learner.observe(*answer, {**info, "intervene_action": [2.0, 5.0]})
    learner.learn()
    rows = layout.unpack(learner._live.trainer.rows(0, 3)[0])
    np.testing.assert_allclose(rows.action[1], [-0.5, 0.0], atol=1e-6)
    np.testing.assert_allclose(rows.action[2], [1.0, 1.0], atol=1e-4)
    np.testing.assert_allclose(rows.obs[1], [1.0, learner_mark(env), chosen[0]], atol=1e-6)
    mine = np.asarray(rows.action[0]) * [1.0, 4.0] + [1.0, 1.0]
    np.testing.assert_allclose(mine, chosen, atol=1e-6)


def learner_mark(env: Reach) -> float:
    """The number that an episode shows throughout."""
    return env.mark


def test_a_rule_that_remembers_actions_remembers_what_was_executed() -> None:
    learner, env = ready("odt", Reach), Reach()
    learner.begin(env.reset(seed=0)[0])
    learner.act()
    *answer, info = env.step(np.array([0.5, 1.0], np.float32))
    learner.observe(*answer, info, action=[0.5, 1.0])
    context = learner._live.trainer.memory.host()
    np.testing.assert_allclose(context.action[0, 0, -1], [-0.5, 0.0], atol=1e-6)


def test_an_abandoned_episode_is_a_cut_one() -> None:
    learner = ready("odt", Reach)
    layout, env = learner._live.stepper.online.layout, Reach()
    learner.begin(env.reset(seed=1)[0])
    for _ in range(2):
        *answer, info = env.step(learner.act())
        learner.observe(*answer, info)
    learner.learn()
    learner.break_off()
    with pytest.raises(RunError, match="no episode is open"):
        learner.break_off()
    learner.begin(env.reset(seed=2)[0])
    learner.learn()
    rows = layout.unpack(learner._live.trainer.rows(0, 2)[0])
    np.testing.assert_array_equal(rows.last, [0, 1])
    np.testing.assert_array_equal(rows.mask, [1, 1])
    assert rows.return_to_go[1] == rows.reward[1]
    np.testing.assert_allclose(rows.return_to_go[0], rows.reward[0] + rows.reward[1], rtol=1e-5)


def test_past_its_steps_a_schedule_keeps_its_last_value() -> None:
    made = recipe("rlpd", random=1, steps=8).with_("replay.source", Mixed(0.75, 0.25))
    loop, shares = Loop(ready(made)), []
    for _ in range(14):
        metrics = loop.go(1, learn=False).agent.learn()
        shares.append(None if metrics is None else metrics["online_share"])
    assert loop.agent.steps == 14 and 0.5 in shares[:6] and None not in shares[4:]
    assert shares[8:] == [0.75] * 6


def test_two_agents_in_one_process_do_not_disturb_each_other() -> None:
    made = recipe("sac")
    alone = weights(Loop(agent(made, seed=1)).go(12).agent)
    one, other = Loop(agent(made, seed=1)), Loop(agent(made, seed=2))
    for _ in range(12):
        one.go(1)
        other.go(1)
    same_bits(weights(one.agent), alone)
    with pytest.raises(AssertionError):
        same_bits(weights(other.agent), alone)


def test_it_evaluates_between_episodes_and_changes_nothing() -> None:
    made = recipe("sac")
    env = Reach()
    loop = Loop(agent(made, env), env).go(9)
    while not loop.over:
        loop.go(1)
    steps = loop.agent.steps
    before = weights(loop.agent)
    scores = loop.agent.evaluate(3)
    assert scores["episodes"] == 3 and len(scores["returns"]) == 3
    same_bits(weights(loop.agent), before)
    loop.go(1)
    if not loop.over:
        with pytest.raises(RunError, match="middle of an episode"):
            loop.agent.evaluate(1)
    assert loop.agent.steps == steps + 1


def test_where_seeds_are_an_axis_of_the_program_it_is_the_same_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an accelerator: the engine then carries one batched tree."""
    made = recipe("sac")
    apart = Loop(agent(made)).go(8).agent
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    batched = Loop(agent(made)).go(8).agent
    assert batched._live.trainer.seeds.batched
    obs = Reach().reset(seed=3)[0]
    action, _ = batched.predict(obs)
    np.testing.assert_allclose(action, apart.predict(obs)[0], atol=1e-4)
    batched.save(tmp_path / "kept")
    again = ws.Agent.load(tmp_path / "kept")
    assert again.steps == 8
    np.testing.assert_array_equal(again.predict(obs)[0], action)
