"""What bad input gets: one sentence with the way out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driven import ID, WORDS, Reach, agent, logged, ready, recipe

import warmstart as ws
from warmstart.errors import WarmstartError

SPACES = Reach.observation_space, Reach.action_space


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in logged(3).items() if key != name}


@pytest.mark.parametrize("word", ["sed", "seeds"])
def test_an_agent_has_one_seed(word: str) -> None:
    says = f"Agent takes no argument '{word}'. Did you mean 'seed' or"
    with pytest.raises(WarmstartError, match=re.escape(says)):
        ws.Agent("sac", ID, **{word: 3})


def test_spaces_alone_need_a_horizon() -> None:
    with pytest.raises(WarmstartError, match=r"declares no time limit.* \(in Python horizon=N\)"):
        ws.Agent("sac", SPACES)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({**logged(3), "rewards": np.zeros(3)}, "rows of observations but 3 of rewards"),
        ({**logged(3), "rewards": logged(3)["rewards"] * np.nan}, "finite"),
        ({**logged(3), "actions": np.zeros((2, 2, 2))}, "actions"),
        ({**logged(3), "actions": logged(3)["actions"][:, :1]}, "1 numbers in an action"),
        ({**logged(3), "rewrads": np.zeros(3)}, "no column 'rewrads'. Did you mean 'rewards'"),
        (_without("terminated"), "lack terminated"),
        (
            (np.zeros((3, 3)), np.zeros((3, 2))),
            "a path, a Dataset, a frame, a dict of arrays or a tuple",
        ),
        (5, "a path, a Dataset, a frame, a dict of arrays or a tuple"),
    ],
)
def test_data_that_are_none(data: Any, says: str) -> None:
    with pytest.raises(WarmstartError, match=says):
        ws.Agent(recipe(), ID, data=data, **WORDS)


@pytest.mark.parametrize(
    ("env", "more", "says"),
    [
        (SPACES, {"horizon": 0}, "horizon"),
        (5, {}, "an environment is an id"),
        (lambda: 5, {}, "the factory gave a int"),
        ("AgentReach-v9", {}, "AgentReach"),
        (ID, {"horizn": 3}, "Did you mean 'horizon'"),
        (ID, {"seed": -1}, "seeds"),
    ],
)
def test_environments_and_words_that_are_none(env: Any, more: dict[str, Any], says: str) -> None:
    with pytest.raises(WarmstartError, match=says):
        agent("sac", env, **more)


def test_steps_in_another_order_than_an_episodes() -> None:
    learner = agent("wsrl", SPACES, horizon=6)
    with pytest.raises(WarmstartError, match=r"call pretrain\(\)"):
        learner.begin(Reach().reset(seed=0)[0])
    with pytest.raises(WarmstartError, match=r"call pretrain\(\)"):
        learner.hand_over()
    with pytest.raises(WarmstartError, match=r"call pretrain\(\)"):
        learner.learn()
    assert learner.pretrain() and learner.pretrain() == {}
    table = learner.hand_over()
    assert "kept" in str(table) and table[0].component in str(table)
    env = Reach()
    with pytest.raises(WarmstartError, match=r"call begin\(obs\)"):
        learner.act()
    obs = env.reset(seed=1)[0]
    with pytest.raises(WarmstartError, match=r"call act\(\) first"):
        learner.observe(obs, 0.0, False, False)
    for wrong, says in (
        ({"here": obs["here"]}, "lacks 'clock'"),
        ({**obs, "more": obs["clock"]}, "unknown key 'more'"),
        ({**obs, "here": np.zeros(3)}, "has shape"),
        ({**obs, "here": np.full(2, np.nan)}, "not finite"),
        ({**obs, "here": np.array([0.0, 1e30])}, "too large"),
        (np.zeros(7), "does not fit"),
    ):
        with pytest.raises(WarmstartError, match=says):
            learner.begin(wrong)
    learner.begin(obs)
    with pytest.raises(WarmstartError, match=r"break_off\(\)"):
        learner.begin(obs)
    with pytest.raises(WarmstartError, match=r"call act\(\) first"):
        learner.observe(obs, 0.0, False, False)
    assert learner.learn() is None
    learner.act()
    with pytest.raises(WarmstartError, match="twice for one observation"):
        learner.act()
    for answer, says in (
        ((obs, "much", False, False), "reward"),
        ((obs, np.inf, False, False), "reward"),
        ((obs, -1e20, False, False), "as it is learnt"),
        ((obs, 10**400, False, False), "the reward is inf"),
        ((obs, 0.0, None, False), "terminated"),
        ((obs, 0.0, False, False, 3), "info is a dict"),
    ):
        with pytest.raises(WarmstartError, match=says):
            learner.observe(*answer)
    for action, says in (
        ([0.0], "shape"),
        ([np.nan, 0.0], "not finite"),
        ([-1.0, 0.0], "outside of the action box"),
        ("left", "no array"),
    ):
        with pytest.raises(WarmstartError, match=says):
            learner.observe(obs, 0.0, False, False, action=action)
    for _ in range(5):
        learner.observe(obs, 0.0, False, False)
        learner.act()
    with pytest.raises(WarmstartError, match="horizon of 6"):
        learner.observe(obs, 0.0, False, False)
    learner.observe(obs, 0.0, False, True)
    with pytest.raises(WarmstartError, match=r"^spaces alone can be neither reset nor"):
        learner.evaluate(1)
    for odd in (-1, "all"):
        with pytest.raises(WarmstartError, match=r"learn\(.*\) cannot be; give 0 steps or more"):
            learner.learn(odd)


def test_a_policy_that_is_asked_for_a_return_says_so() -> None:
    learner = ready("odt")
    obs, _ = Reach().reset(seed=0)
    action, state = learner.predict(obs)
    with pytest.raises(WarmstartError, match=r"Desired.*reward="):
        learner.predict(obs, state)
    assert learner.predict(obs, state, reward=-0.5)[0].shape == action.shape


def test_folders_that_are_no_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WarmstartError, match="does not exist"):
        ws.Agent.load(tmp_path / "nothing")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(WarmstartError, match="holds no agent"):
        ws.Agent.load(tmp_path)
    with pytest.raises(WarmstartError, match="holds no agent"):
        ws.Agent.load(tmp_path / "notes.txt")
    learner = agent("sac", SPACES, horizon=6)
    with pytest.raises(WarmstartError, match="something else"):
        learner.save(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("warmstart.agent.storage.FORMAT", 99)
        learner.save(tmp_path / "kept")
    with pytest.raises(WarmstartError, match="format 99"):
        ws.Agent.load(tmp_path / "kept").act()
    for part in (tmp_path / "kept" / "state").glob("*/checkpoint.json"):
        part.unlink()
    with pytest.raises(WarmstartError):
        ws.Agent.load(tmp_path / "kept").act()


@pytest.mark.parametrize("wild", [False, True])
def test_an_agent_that_diverges_says_what_to_try(wild: bool) -> None:
    rate = {} if wild else {"finetune.learner.critic_optimiser.lr": 1e30}
    made = recipe("sac", random=2, steps=60)
    for path, value in rate.items():
        made = made.with_(path, value)
    more: dict[str, Any] = {"schedule": {"log_every": 10}} if wild else {}
    learner = agent(made, Reach, **more)
    env = Reach()
    with pytest.raises(WarmstartError) as refused:
        obs, _ = env.reset(seed=learner.reset_seed())
        learner.begin(obs)
        for step in range(40):
            obs, reward, over, cut, info = env.step(learner.act())
            obs = {**obs, "here": obs["here"] * 0 + 9e17} if wild and step >= 4 else obs
            learner.observe(obs, reward, over, cut, info)
            learner.learn()
            if over or cut:
                obs, _ = env.reset(seed=learner.reset_seed())
                learner.begin(obs)
    said = str(refused.value)
    assert "not a finite number" in said
    if wild:
        assert re.search(
            r"The environment's observation number \d reaches \S+e\+\d\d in step 5:", said
        )
    else:
        assert "The learning rate is 1e+30: try changes={" in said, said
