"""Random shifts of images: what is seen is a window on the image with its border repeated."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.nets.pixels import EncoderSpec, split
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.types import Camera, Spec, WithPixels

CAMERAS = (Camera("top", (8, 9, 2)), Camera("wrist", (10, 8, 1)))
SPEC = Spec(1 + sum(camera.size for camera in CAMERAS), 1, 5, CAMERAS)
SHIFT, IMAGES = 2, 24


def test_every_image_is_moved_by_itself_and_no_further_than_it_may() -> None:
    policy = PolicySpec(NetSpec((4,)))
    net = EncoderSpec(filters=(2,), bottleneck=2, shift=SHIFT).around(
        jax.random.key(0), SPEC, lambda n: policy.build(jax.random.key(1), n, 1)
    )
    pixels = np.random.default_rng(0).integers(0, 256, (2, IMAGES // 2, SPEC.pixels), np.uint8)
    obs = WithPixels(jnp.ones((2, IMAGES // 2, 1)), jnp.asarray(pixels))
    moved = net.shifted(jax.random.key(2), obs)
    assert moved.pixels.dtype == jnp.uint8 and moved.pixels.shape == pixels.shape
    assert moved.numbers is obs.numbers
    sides = [
        split(each.reshape(IMAGES, -1), CAMERAS) for each in (pixels, np.asarray(moved.pixels))
    ]
    found = []
    for before, after in zip(*sides, strict=True):
        wide = np.pad(before, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
        height, width = before.shape[1:3]
        moves = [
            [
                (down, right)
                for down in range(2 * SHIFT + 1)
                for right in range(2 * SHIFT + 1)
                if np.array_equal(wide[i, down : down + height, right : right + width], after[i])
            ]
            for i in range(IMAGES)
        ]
        assert all(len(each) == 1 for each in moves)
        found.append([each[0] for each in moves])
        assert {place for each in found[-1] for place in each} == set(range(2 * SHIFT + 1))
    assert found[0] != found[1]
