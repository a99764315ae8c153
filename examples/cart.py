"""A cart on a rail as a JAX program: push it to the middle and keep it there."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from warmstart import Spec


class Cart(NamedTuple):
    place: jax.Array
    speed: jax.Array
    t: jax.Array


class Rail:
    def __init__(self, horizon=50, push=0.1):
        self.spec, self.push = Spec(obs_dim=2, action_dim=1, horizon=horizon), push

    def reset(self, key):
        place = jax.random.uniform(key, minval=-1.0, maxval=1.0)
        cart = Cart(place, jnp.float32(0.0), jnp.int32(0))
        return cart, jnp.stack([cart.place, cart.speed])

    def step(self, cart, action):
        speed = 0.9 * cart.speed + self.push * jnp.clip(action[0], -1.0, 1.0)
        cart = Cart(cart.place + 0.3 * speed, speed, cart.t + 1)
        reward, arrived = -jnp.abs(cart.place), jnp.abs(cart.place) < 0.05
        obs = jnp.stack([cart.place, cart.speed])
        return cart, obs, reward, jnp.bool_(False), cart.t >= self.spec.horizon, arrived
