"""Values: paths, text and JSON, also what no honest file holds."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart import values
from warmstart.acting import Noisy
from warmstart.errors import RecipeError
from warmstart.methods import METHODS

WSRL = METHODS["wsrl"].recipe("quick")


def test_paths_reach_into_tuples_and_parts() -> None:
    assert values.get(WSRL, "pretrain.0.updates") == WSRL.pretrain[0].updates
    changed = WSRL.with_("pretrain.0.learner.critic.net.hidden", "32,16")
    assert values.get(changed, "pretrain.0.learner.critic.net.hidden") == (32, 16)
    assert values.get(WSRL, "pretrain.0.learner.critic.net.hidden") == (128, 128)
    for path, value in values.paths(WSRL):
        assert values.get(WSRL, path) == value


TEXT = [
    ("finetune.steps", "7", 7),
    ("finetune.learner.tau", "1", 1.0),
    ("finetune.learner.tau", "1e-3", 0.001),
    ("finetune.learner.backup.entropy", "true", True),
    ("finetune.learner.backup.entropy", "0", False),
    ("finetune.learner.backup.subset", "none", None),
    ("finetune.learner.backup.subset", "3", 3),
    ("finetune.learner.actor_optimiser.clip", "0.5", 0.5),
    ("finetune.learner.critic.net.layer_norm", "first", "first"),
    ("finetune.learner.critic.net.layer_norm", "false", False),
    ("finetune.learner.policy.log_std_range", "(-5, 2)", (-5, 2)),
    ("finetune.learner.critic.net.hidden", "[8]", (8,)),
    ("replay.warmup.by", "random", "random"),
    ("acting", "Noisy", Noisy()),
    ("handover.actor", "fresh", "fresh"),
]


@pytest.mark.parametrize(("path", "text", "want"), TEXT)
def test_text_is_read_as_the_field_s_type(path: str, text: str, want: Any) -> None:
    got = values.get(WSRL.with_(path, text), path)
    assert got == want and type(got) is type(want)


WRONG = [
    ("finetune.stepz", "7", "Did you mean 'steps'"),
    ("finetune.steps.more", "7", "no fields"),
    ("pretrain.1.updates", "7", "no field '1'"),
    ("pretrain.-1.updates", "7", "no field '-1'"),
    ("finetune.steps", "many", "give a value like"),
    ("finetune.learner.backup.entropy", "perhaps", "give a value like"),
    ("replay.warmup.by", "policies", "Did you mean 'policy'"),
    ("finetune.learner.critic.net.hidden", "a,b", "give a value like"),
    ("finetune.learner.policy.log_std_range", "1", "log_std_range"),
    ("finetune.learner", "7", "set one of its fields"),
    ("handover.actor", "Noisy", "Known: fresh, keep"),
    ("", "7", "no field"),
]


@pytest.mark.parametrize(("path", "text", "message"), WRONG)
def test_what_cannot_be_read_is_said_in_one_sentence(path: str, text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        WSRL.with_(path, text)


HOSTILE: list[Any] = [
    {"is": "os.system"},
    {"is": "__class__"},
    {"is": ["Recipe"]},
    {"is": {"is": "Recipe"}},
    {"is": None},
    {"is": "Recipe"},
    {"is": "Stage"},
    {"is": "Recipe", "name": "x", "finetune": 3},
    {"is": "Recipe", "name": "x", "finetune": {"is": "Sampled"}},
    {"is": "Recipe", "name": "x", "pretrain": [1]},
    {"is": "Rhythm", "every": 1, "__init__": 2},
    {"is": "PolicySpec", "log_std_range": [1]},
    {"is": "NetSpec", "hidden": ["8; rm"]},
    {"is": "NetSpec", "hidden": 3},
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_json_is_refused_and_never_run(data: Any) -> None:
    with pytest.raises(RecipeError):
        values.from_json(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["is", "name", "every", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused(data: Any) -> None:
    with contextlib.suppress(RecipeError):
        values.from_json(data)


def test_objects_cannot_be_written() -> None:
    with pytest.raises(RecipeError, match="cannot be written as JSON"):
        values.to_json({"a": object()})


def test_two_parts_of_one_name_are_refused() -> None:
    class Noisy:
        pass

    with pytest.raises(RecipeError, match="two parts are called 'Noisy'"):
        values.register(Noisy)
