"""The float32 matrix-product peak of this machine in GFLOP/s, in JAX and in NumPy.

Every step time is judged against this number. Run `python benchmarks/peak.py`; the best of many
rounds counts, so that a busy moment of the machine does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

ROUNDS = 30
# Rows, inner, columns: square for the peak; the others are a hidden layer of 256 units.
SHAPES = ((1024, 1024, 1024), (256, 256, 256), (1024, 256, 256), (7680, 256, 256))


def best_seconds(call: Callable[[], object]) -> float:
    """The shortest of `ROUNDS` calls, in seconds, after one that compiles and warms up."""
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def peak(rows: int, inner: int, columns: int) -> tuple[float, float]:
    """`(JAX, NumPy)` in GFLOP/s for one product [rows, inner] x [inner, columns]."""
    rng = np.random.default_rng(0)
    left = rng.normal(size=(rows, inner)).astype(np.float32)
    right = rng.normal(size=(inner, columns)).astype(np.float32)
    work = 2e-9 * rows * inner * columns
    product = jax.jit(jnp.matmul)
    on_device = (jnp.asarray(left), jnp.asarray(right))
    in_jax = best_seconds(lambda: product(*on_device).block_until_ready())
    return work / in_jax, work / best_seconds(lambda: left @ right)


def main() -> None:
    """Print one line for each shape."""
    print(f"{jax.devices()[0].platform}, jax {jax.__version__}, numpy {np.__version__}")
    for shape in SHAPES:
        in_jax, in_numpy = peak(*shape)
        name = " x ".join(map(str, shape))
        print(f"{name:>20}  JAX {in_jax:6.0f} GFLOP/s  NumPy {in_numpy:6.0f} GFLOP/s")


if __name__ == "__main__":
    main()
