"""Images stand beside rows: each once, found again by number, in rings and behind a resume."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import QUIET, SPEC, Diary, finish, learnt, same_bits, tiny

from warmstart.data.images import kept_once
from warmstart.engine import Problem, Trainer
from warmstart.engine.carry import require_images_read
from warmstart.errors import RecipeError
from warmstart.methods import METHODS
from warmstart.nets.pixels import EncoderSpec
from warmstart.recipe import Recipe
from warmstart.replay import Layout, Stores, empty_frames, empty_ring, frames_for
from warmstart.tasks.reward import RewardTransform
from warmstart.types import Camera, Dataset, EnvStep, Spec

CAMERAS = (Camera("front", (8, 8, 1)), Camera("side", (9, 8, 2)))
PIXELS = sum(camera.size for camera in CAMERAS)
SEEN = Spec(SPEC.obs_dim + PIXELS, SPEC.action_dim, SPEC.horizon, CAMERAS)
SMALL = EncoderSpec(filters=(4,), bottleneck=3, shift=0)


def picture(numbers: Any) -> np.ndarray:
    """[P], the images that belong to numbers [mark, t, push]: they tell episode and step."""
    mark, t = round(float(numbers[0]) * 97), int(numbers[1])
    return (np.arange(PIXELS) * (t + 1) + 3 * mark) % 251


class Filmed(Diary):
    """The diary with two cameras that see what page it is."""

    spec = SEEN

    def _obs(self) -> np.ndarray:
        numbers = super()._obs()
        return np.concatenate([numbers, picture(numbers)]).astype(np.float32)


class Unnumbered(Filmed):
    """Nothing but the cameras."""

    spec = Spec(PIXELS, SPEC.action_dim, SPEC.horizon, CAMERAS)

    def _obs(self) -> np.ndarray:
        return super()._obs()[SPEC.obs_dim :]


def filmed(episodes: int = 8) -> Dataset:
    """Random behaviour there."""
    rng, env, rows = np.random.default_rng(3), Filmed(), []
    for episode in range(episodes):
        obs, over = env.reset(1000 + episode), False
        while not over:
            action = rng.uniform(-1, 1, 2).astype(np.float32)
            out: EnvStep = env.step(action)
            rows.append((obs, action, out.reward, out.terminated, out.truncated, out.obs))
            obs, over = out.obs, out.terminated or out.truncated
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    obs, actions, rewards, terminated, truncated, after = columns
    images = kept_once(obs[:, 3:].astype(np.uint8), after[:, 3:].astype(np.uint8))
    arrays = (obs[:, :3], actions, rewards.astype(np.float32), terminated, truncated, after[:, :3])
    made = Dataset(*arrays)
    return replace(made, **images, cameras=SEEN.cameras)


def pictured(recipe: Recipe) -> Recipe:
    """With a small encoder for every learner."""
    for k in range(len(recipe.pretrain)):
        recipe = recipe.with_(f"pretrain.{k}.learner.encoder", SMALL)
    return recipe.with_("finetune.learner.encoder", SMALL)


def trainer(
    recipe: Recipe, seeds: tuple[int, ...] = (1, 4), world: type[Filmed] = Filmed, **more: Any
) -> Trainer:
    """A trainer in front of the cameras that does not look at itself."""
    data = filmed()
    if world is Unnumbered:
        data = replace(data, obs=data.obs[:, :0], next_obs=data.next_obs[:, :0])
    rows = Layout.of_dataset(data).from_dataset(data, data.rewards, np.full(len(data), -np.inf))
    problem = Problem(
        world.spec, world, RewardTransform(), "finite", -1.0, (-5.0, 0.0), rows, frames=data.frames,
        base=lambda obs: np.clip(obs[:, 1:3] / 9.0, -1.0, 1.0),
    )  # fmt: skip
    run = Trainer(pictured(recipe), problem, seeds, QUIET, **more)
    run.evaluator.look = lambda *args, **kwargs: []
    return run


def shows(run: Trainer) -> list[int]:
    """How many rows of each seed can be drawn; all of these show what their numbers say."""
    counts = []
    for i in range(len(run.names)):
        ring, layout = run.carry.items[i].ring, run.carries.layout
        count = int(ring.added - ring.oldest - ring.skipped)
        at = ring.place(jnp.arange(count))
        stores = Stores.of(run.dataset, ring)
        batch = stores.pictured(layout.unpack(stores.online(at, layout)), layout)
        for seen in (batch.obs, batch.next_obs):
            wanted = [picture(numbers) for numbers in np.asarray(seen.numbers)]
            np.testing.assert_array_equal(np.asarray(seen.pixels), wanted)
        counts.append(count)
    return counts


def test_every_row_shows_its_own_images() -> None:
    run = trainer(tiny("rlpd", steps=24))
    finish(run)
    assert shows(run) == [24, 24]
    frames = run.carry.items[0].ring.frames
    assert frames.pixels.dtype == jnp.uint8 and len(frames.pixels) == frames_for(24)


def test_rows_whose_images_were_written_over_are_drawn_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without room for the ends of episodes the oldest rows go first, and no others."""
    monkeypatch.setattr("warmstart.replay.frames.FEW", 0)
    run = trainer(tiny("sac", steps=24).with_("replay.capacity", 9))
    finish(run)
    held = len(run.carry.items[0].ring.frames.pixels)
    assert held == 11
    assert all(5 < count < 9 for count in shows(run))


def test_a_preloaded_ring_keeps_its_dataset_where_own_images_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("warmstart.replay.frames.FEW", 0)
    run = trainer(tiny("td3_bc", pretrain_steps=2, steps=20))
    finish(run)
    rows = len(run.problem.rows) if run.problem.rows is not None else 0
    assert all(rows + 12 < count < rows + 20 for count in shows(run))


@pytest.mark.parametrize(("method", "capacity"), [("rlpd", 1_000), ("sac", 9)])
def test_resume_equals_the_unbroken_run(method: str, capacity: int) -> None:
    recipe = tiny(method, steps=24).with_("replay.capacity", capacity)
    left: dict[int, Any] = {}
    run = trainer(recipe, pause=lambda: True)
    for event in run.run():
        at = run.position.counter
        if event.kind == "safe" and run.position.phase == "online" and at in (3, 14):
            tree, meta = run.snapshot()
            first = max(0, at - min(capacity, 24))
            counted, room = run.counted(at), run.carries.room_for_images()
            starts = [max(0, stop - room) for stop in counted]
            images = [
                (start, run.images(i, start, stop))
                for i, (start, stop) in enumerate(zip(starts, counted, strict=True))
            ]
            left[at] = tree, copy.deepcopy(meta), run.rows(first, at), images
    assert set(left) == {3, 14}
    for tree, meta, rows, images in left.values():
        again = trainer(recipe, pause=lambda: True)
        assert again.restore(tree, meta, rows, images) == []
        finish(again)
        same_bits(learnt(again), learnt(run))


def test_the_critics_alone_teach_the_encoder() -> None:
    """Actor and value share it; where there is no critic the actor has one of its own."""
    run = trainer(tiny("iql", pretrain_steps=4, steps=4), seeds=(1,))
    before = jax.tree.map(np.array, run.state.items[0].nets)
    next(e for e in run.run() if e.kind == "safe")
    after = run.state.items[0].nets
    same_bits(after["actor"].encoder, after["critic"].encoder)
    same_bits(after["value"].encoder, after["critic"].encoder)
    moved = (
        before["critic"].encoder.towers[0][0].weight - after["critic"].encoder.towers[0][0].weight
    )
    assert np.abs(np.asarray(moved)).max() > 0
    moments = run.state.items[0].opts["actor"]
    grown = [np.abs(np.asarray(m)).max() for m in jax.tree.leaves(moments) if np.ndim(m) == 4]
    assert grown and max(grown) == 0.0
    alone = trainer(tiny("bc", pretrain_steps=4), seeds=(1,))
    before = jax.tree.map(np.array, alone.state.items[0].nets["actor"].encoder)
    next(e for e in alone.run() if e.kind == "safe")
    now = alone.state.items[0].nets["actor"].encoder
    assert np.abs(before.towers[0][0].weight - np.asarray(now.towers[0][0].weight)).max() > 0


def test_a_hundred_thousand_images_fit() -> None:
    """100,000 steps of 84 x 84 x 3 in less than 2.3 GB, the dataset's too."""
    spec = Spec(2 + 84 * 84 * 3, 7, 500, (Camera("front", (84, 84, 3)),))
    layout = Layout.of(spec)
    ring = jax.eval_shape(
        lambda: empty_ring(100_000, layout.width, empty_frames(layout, frames_for(100_000)))
    )
    total = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(ring))
    assert 2.1e9 < total < 2.3e9
    episodes, steps = 5, 20
    before = np.random.default_rng(0).integers(0, 255, (episodes * steps, 12), np.uint8)
    after = np.concatenate([before[1:], before[:1]])
    after[steps - 1 :: steps] = 255
    assert len(kept_once(before, after)["frames"]) == episodes * steps + episodes


BLIND = {"dsrl", "dt", "fql", "ifql", "moore", "mopo", "odt", "off2on", "ppo", "qc", "qc_fql",
         "rlpd_chunks", "upq"}  # fmt: skip
"""Methods that see numbers alone."""


def _looks(method: str) -> None:
    """A whole tiny run, in which whatever acts has learnt to see."""
    run = trainer(tiny(method), seeds=(1,))
    before = jax.tree.map(np.array, run.state.items[0].nets["actor"].encoder)
    finish(run)
    after = run.carry.items[0].state.nets["actor"].encoder
    for tower, taught in zip(before.towers, after.towers, strict=True):
        moved = np.abs(tower[0].weight - np.asarray(taught[0].weight)).max()
        assert 0 < moved < 1, moved
    assert shows(run)[0] > 0


def test_images_alone_are_enough() -> None:
    """Their numbers are [..., 0], also where the actor sees all minibatches as one."""
    run = trainer(tiny("wsrl"), seeds=(1,), world=Unnumbered)
    finish(run)
    assert run.position.updates > 0


@pytest.mark.parametrize(
    "method", [*(pytest.param(m, marks=pytest.mark.laws) for m in ("awac", "cal_ql")), "td3"]
)
def test_a_method_learns_from_two_cameras(method: str) -> None:
    _looks(method)


@pytest.mark.laws
@pytest.mark.parametrize("method", sorted(set(METHODS) - BLIND))
def test_every_method_that_looks_at_images_learns_from_them(method: str) -> None:
    _looks(method)


@pytest.mark.parametrize("method", sorted(BLIND))
def test_what_sees_numbers_alone_says_so_before_anything_is_learnt(method: str) -> None:
    problem = Problem(SEEN, Filmed, RewardTransform(), "finite", -1.0)
    with pytest.raises(
        RecipeError, match=f"{method} does not look at images, and the environment shows some"
    ):
        require_images_read(tiny(method), problem)


def test_the_page_names_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cameras.md").read_text()
    said = page.partition("What cannot says so")[2].partition("\n")[0]
    assert set(re.findall(r"`(\w+)`", said)) == BLIND
    problem = Problem(SEEN, Filmed, RewardTransform(), "finite", -1.0)
    for method in set(METHODS) - BLIND:
        require_images_read(tiny(method), problem)
