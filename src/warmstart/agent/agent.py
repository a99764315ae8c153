"""`Agent`: the whole life of a policy, from logged data to one's own loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.agent.handover_table import HandoverTable
from warmstart.agent.live import Live
from warmstart.agent.run_folder import (
    keeping_intervened,
    on_pretraining,
    open_folder,
    start_folder,
    unseen,
)
from warmstart.agent.storage import LoadedAgent, described, read_agent, save_agent
from warmstart.agent.units import EnvUnits
from warmstart.api.declare import Declared, declare, declare_finetune
from warmstart.api.given import known_words
from warmstart.api.in_words import crossing
from warmstart.api.numbers import names_for
from warmstart.api.prepare import problem_of
from warmstart.api.scales import scaled
from warmstart.api.schedules import usual_episodes
from warmstart.api.watch import shown
from warmstart.errors import RecipeError, RunError
from warmstart.link.robot import intervention_in
from warmstart.policy.actor import NoNumpyForm, NumpyPolicy, State
from warmstart.recipe import Recipe
from warmstart.runs.folder import as_folder
from warmstart.user_code.trust import name_code


class Agent:
    """One seed of a method on an environment that the caller steps.

    ```python
    agent = ws.Agent("wsrl", env, data="logs.npz", seed=0)
    agent.pretrain()
    print(agent.hand_over())
    obs, info = env.reset(seed=agent.reset_seed())
    agent.begin(obs)
    while agent.steps < 20_000:
        action = agent.act()
        obs, reward, terminated, truncated, info = env.step(action)
        agent.observe(obs, reward, terminated, truncated, info)
        agent.learn()
        if terminated or truncated:
            obs, info = env.reset(seed=agent.reset_seed())
            agent.begin(obs)
    agent.save("policy")
    ```

    Observations and actions are the environment's own, in its units and shapes. With the same
    recipe, data and seed, resets by `reset_seed()` and one `learn()` after each step, it learns to
    the bits of `ws.run`. `learn()` may run in a thread of its own; `act()` then uses the weights
    of the last update that is done, and waits for none. One thread acts and observes.

    Args:
        method: a name, `my_method.py:recipe` or a Recipe.
        env: an environment, a factory of such, its id, a task or its name, or the pair
            (observation space, action space), which needs `horizon`. The agent never steps an
            environment but to `evaluate`.
        data: what to pre-train on: a path, a Dataset, or a dict or tuple of arrays whose actions
            are in the environment's units. None: the task's own.
        seed: of everything random.
        folder: where rows, metric lines and checkpoints are kept, so that `Agent.open` goes on
            after a kill; a new one.
        progress: show how pre-training goes, on standard error.
        intervened_share: the share of every batch that is kept for rows in which a human acted,
            once there are any; None: they are drawn as all others.
        declared: as of `ws.run`: preset, changes, pretrain_steps, steps (over which schedules run;
            past them they keep their last value), holdout, ignore, schedule (of which `log_every`
            counts), numbers of the method (`expectile=0.9`), and what a task says: horizon,
            discount, reward_scale, reward_bias, return_rule, success, success_when, reference,
            at_once.

    Raises:
        WarmstartError: the one message says what was wrong and what to do.
    """

    def __init__(
        self,
        method: str | Recipe,
        env: Any,
        *,
        data: Any = None,
        seed: int = 0,
        folder: Path | str | None = None,
        progress: bool = True,
        intervened_share: float | None = None,
        **declared: Any,
    ) -> None:
        known_words("Agent", declared, declare, names_for(method))
        wanted = declare(method, env, data=data, seeds=(seed,), **declared)
        wanted = keeping_intervened(wanted, intervened_share)
        wanted, dataset = scaled(unseen(wanted))
        problem = problem_of(wanted, dataset=dataset, trial=False)
        driven = dataclasses.replace(problem, physical=True)
        if folder is None:
            self._hold(Live(wanted, driven), seed, progress)
        else:
            self._hold(start_folder(wanted, driven, as_folder(folder)), seed, progress)

    def _hold(self, held: Live | LoadedAgent, seed: int, progress: bool) -> None:
        """Everything that an agent has."""
        self._held, self._progress, self._rng = held, progress, np.random.default_rng(seed)
        self._units: EnvUnits | None = None
        self._shown: tuple[Any, NumpyPolicy | None] = None, None

    @property
    def _live(self) -> Live:
        """What learns; of a loaded agent it is made when it is first needed."""
        if isinstance(self._held, LoadedAgent):
            self._held = self._held.wake()
        return self._held

    @property
    def _between(self) -> EnvUnits:
        if self._units is None:
            self._units = EnvUnits(self._live.declared.task, self._live.problem)
        return self._units

    @property
    def declared(self) -> Declared:
        """Everything that decides what it learns."""
        return self._live.declared

    @property
    def recipe(self) -> Recipe:
        """The five answers."""
        return self.declared.recipe

    @property
    def steps(self) -> int:
        """Environment steps that it has observed."""
        live = self._live
        return live.trainer.position.env_steps if live.phase == "online" else 0

    def pretrain(self) -> dict[str, float]:
        """Pre-train to the end; the last metrics, {} where the method does not pre-train.

        Raises:
            DivergedError: a number that is learnt is not finite.
            Interrupted: with a folder, on Ctrl-C, after saving; call it again to go on.
        """
        live = self._live
        if live.phase != "pretrain":
            return {}
        with shown(None, self._progress) as seen:
            return live.pretrain(seen)

    def hand_over(self) -> HandoverTable:
        """Start the online learner from what was pre-trained; what crossed, to print.

        Where it was done already, only the table. `begin` does it where it was not.

        Raises RunError before the end of pre-training.
        """
        live = self._live
        if live.phase == "pretrain":
            raise RunError(
                "there is nothing to hand over before the end of pre-training; call pretrain()"
            )
        if live.phase == "switch":
            live.hand_over()
        return HandoverTable(crossing(self.recipe))

    def reset_seed(self) -> int:
        """The seed with which a run would reset the environment for the next episode."""
        self._require_online()
        return self._live.stepper.episodes.reset_seed(0)

    def begin(self, obs: Any) -> None:
        """An episode begins with what the reset environment shows; the first call compiles.

        Raises:
            RunError: an episode is open; pre-training is not over.
            TaskError: an observation of another shape, or numbers that are not finite.
        """
        self._require_online()
        if self._live.is_open:
            raise RunError(
                "an episode is open; end it with terminated or truncated, or call break_off() "
                "where it was abandoned"
            )
        self._live.begin(self._between.observation(obs))

    def act(self) -> np.ndarray:
        """What to do now, with exploration: in the environment's own shape, type and box.

        It reads the weights of the last update that is done, and waits for none.

        Raises:
            RunError: before `begin`, or twice for one observation; or a learner that is on-policy
                (PPO) has not learnt yet from the rollout before.
            DivergedError: learning has left the finite numbers.
        """
        live = self._live
        if live.is_open and live.on_policy and live.owes:
            raise RunError(
                "this method learns from what its newest policy did, and a rollout is not learnt "
                "from yet; call learn() before act()"
            )
        if not live.is_open:
            raise RunError("there is no observation to act on; call begin(obs) after each reset")
        if live.chosen is not None:
            raise RunError("act() was called twice for one observation; call observe() in between")
        return self._between.to_env(live.act())

    def observe(
        self,
        next_obs: Any,
        reward: Any,
        terminated: Any,
        truncated: Any,
        info: Mapping[str, Any] | None = None,
        action: Any = None,
    ) -> None:
        """What the environment answered to the last action.

        Args:
            next_obs: the true next observation, also at an end.
            reward: as `env.step` returns it.
            terminated: the same.
            truncated: the same.
            info: the same. It says success (`success`, `is_success`, or what `success_when`
                names), and with `intervention` (or `intervene_action`) what a human did instead,
                which marks the row.
            action: what was really executed where that is not what `act` said; it is what is
                learnt from.

        Raises:
            RunError: without `act` before, or past the horizon.
            TaskError: an answer of another shape or kind, or numbers that are not finite.
        """
        live, human = self._live, None
        if not live.is_open or live.chosen is None:
            raise RunError("there is no action that this could answer; call act() first")
        out = self._between.answer(next_obs, reward, terminated, truncated, info)
        if action is None and info is not None:
            action = human = intervention_in(info)
        taken = live.chosen if action is None else self._between.to_unit(action, live.chosen)
        live.observe(taken, out, human is not None)

    def take(
        self,
        obs: Any,
        action: Any,
        next_obs: Any,
        reward: Any,
        terminated: Any,
        truncated: Any,
        info: Mapping[str, Any] | None = None,
        intervened: bool = False,
    ) -> None:
        """A step whose action was chosen elsewhere, in place of `act` and `observe`.

        Args:
            obs: what was shown before it, where an episode begins with it (one that is open was
                abandoned, and ends where it stood); None where the episode goes on.
            action: what was executed, in the environment's own units.
            next_obs: as of `observe`, and so are reward, terminated, truncated and info.
            intervened: whether somebody else than the policy chose the action, which marks the row.

        Raises:
            RunError: no episode is open and none begins, or one goes on past the horizon.
            TaskError: an action or answer of another shape or kind, or numbers that are not finite.
        """
        self._require_online()
        live = self._live
        shown = None if obs is None else self._between.observation(obs)
        if shown is None and not live.is_open:
            raise RunError("a step that goes on needs an open episode; give obs= where one begins")
        out = self._between.answer(next_obs, reward, terminated, truncated, info)
        taken = self._between.to_unit(action, None)
        if shown is not None:
            if live.is_open:
                live.break_off()
            live.begin(shown, acts=False)
        live.take(taken, out, intervened)

    def break_off(self) -> None:
        """The open episode was abandoned: it ends where it stands, as at a time limit."""
        if not self._live.is_open:
            raise RunError("no episode is open that could be broken off; call begin(obs) first")
        self._live.break_off()

    def learn(self, steps: int | None = None) -> dict[str, float] | None:
        """Take the updates that are owed; their mean metrics, or None where none was.

        Args:
            steps: of so many of the observed steps, the oldest; None: of all.

        It may be called in another thread than `act` and `observe`, and as rarely as one likes:
        what is owed is learnt in the order in which it was observed.

        Raises:
            RunError: pre-training is not over, or steps below 0.
            DivergedError: learning has left the finite numbers.
        """
        self._require_online()
        return self._live.learn(steps)

    def roll(self, steps: int) -> dict[str, float] | None:
        """Train for so many environment steps in a JAX simulator, wholly inside the compiled loop.

        The bits are those of a run. An agent is rolled or stepped by its user, not both.

        Args:
            steps: 1 or more.

        Returns:
            The mean metrics of the updates, or None where there was none (a warm-up).

        Raises:
            RunError: pre-training is not over, the simulator is no JAX program, or the agent was
                stepped from outside before.
            DivergedError: learning has left the finite numbers.
            TaskError: the simulator has.
        """
        if steps < 1:
            raise RunError(f"roll({steps}) cannot be; give 1 step or more")
        self._require_online()
        return self._live.roll(steps)

    def predict(
        self,
        obs: Any,
        state: State = None,
        episode_start: Any = None,
        deterministic: bool = True,
        *,
        reward: Any = None,
    ) -> tuple[np.ndarray, State]:
        """Actions and the next state, as in Stable-Baselines3; nothing of the agent changes.

        Args:
            obs: one observation or a batch of N.
            state: of policies that act on the episode so far; see `ws.NumpyPolicy`.
            episode_start: the same.
            deterministic: as in evaluation; False: as in training.
            reward: what the environment paid for the last step, which only policies that are asked
                for a return (DT, ODT) read, and need.

        Raises:
            TaskError: an observation of another shape, or a policy that needs `reward`.
            RunError: a network of the caller's own: it has no form in NumPy; `evaluate` plays it.
        """
        held, rng = self._held, None if deterministic else self._rng
        actor = held.actor() if isinstance(held, LoadedAgent) else self._actor(held)
        return actor.predict(obs, state, episode_start, deterministic, rng=rng, reward=reward)

    def evaluate(self, episodes: int | None = None) -> dict[str, Any]:
        """Play whole episodes as evaluation acts: score, success, returns, lengths.

        Args:
            episodes: None: 100, or 10 in an environment object.

        Raises:
            RunError: in the middle of an episode of the one environment object.
            TaskError: only spaces are known, or the environment fails.
        """
        live, task = self._live, self.declared.task
        if task.physical and live.is_open:
            raise RunError(
                "the environment object is in the middle of an episode; evaluate between two, or "
                "give a factory as env="
            )
        return live.evaluate(usual_episodes(task) if episodes is None else episodes)

    def save(self, folder: Path | str) -> Path:
        """Write all that it is, with what is still to be learnt; `Agent.load` goes on from it.

        The folder is a policy folder too, of which `ws.actor` acts in NumPy.

        Raises RunError where it cannot be written.
        """
        return save_agent(self._live, as_folder(folder))

    @classmethod
    def load(
        cls,
        folder: Path | str,
        env: Any = None,
        *,
        data: Any = None,
        allow_code: Sequence[str] = (),
        progress: bool = True,
    ) -> Agent:
        """What `save` wrote. `predict` needs neither data nor environment.

        Args:
            folder: of `save`, or any policy folder, which then can only `predict`.
            env: to `evaluate` in, where it was handed in as an object or factory.
            data: to learn on, where the method goes on drawing logged rows.
            allow_code: Python files that it names and that may run.

        Raises:
            RunError: no agent's folder. A damaged one or another version's may say so at `act`.
            TaskError: an environment with other spaces.
        """
        name_code(allow_code)
        loaded, made = read_agent(as_folder(folder), env, data), cls.__new__(cls)
        made._hold(loaded, loaded.seed, progress)
        return made

    @classmethod
    def open(
        cls,
        folder: Path | str,
        env: Any = None,
        *,
        data: Any = None,
        allow_code: Sequence[str] = (),
        progress: bool = True,
        goes_on: bool = False,
        changes: Mapping[str, Any] | None = None,
    ) -> Agent:
        """Go on with the agent that keeps `folder`, from its last checkpoint.

        An episode that was open then is broken off there, unless it `goes_on`: a robot in another
        process (`ws.Learner`) sends its steps again. By `changes` the online learner goes on, as
        in `{"learner.critic_optimiser.lr": 1e-4}`. Other arguments as of `load`.

        Raises RunError, TaskError, DataError or RecipeError where it cannot be opened so.
        """
        name_code(allow_code)
        made, live = cls.__new__(cls), open_folder(as_folder(folder), env, data, goes_on, changes)
        made._hold(live, live.declared.seeds[0], progress)
        return made

    @classmethod
    def finetune(
        cls,
        source: Path | str,
        method: str | None = None,
        *,
        folder: Path | str,
        allow_code: Sequence[str] = (),
        progress: bool = True,
        intervened_share: float | None = None,
        **declared: Any,
    ) -> Agent:
        """A new agent, in `folder`, on the pre-training of a run of one seed.

        Args:
            source: folder of a run that has finished its pre-training.
            method: whose online phase; None: the run's own.
            folder: as of `Agent`, and so is intervened_share; `declared`: preset, changes, steps.

        Raises:
            RunError: no such run, one of several seeds, or one that is not pre-trained.
            RecipeError: what was pre-trained does not fit the method.
        """
        names = () if method is None else names_for(method)
        known_words("Agent.finetune", declared, declare_finetune, names)
        name_code(allow_code)
        wanted = unseen(on_pretraining(as_folder(source), method, declared))
        wanted = keeping_intervened(wanted, intervened_share)
        problem = dataclasses.replace(problem_of(wanted, trial=False), physical=True)
        made = cls.__new__(cls)
        made._hold(start_folder(wanted, problem, as_folder(folder)), wanted.seeds[0], progress)
        return made

    def close(self) -> None:
        """Save into its folder, where it has one, and let go of all that it holds."""
        if isinstance(self._held, Live):
            self._held.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _actor(self, live: Live) -> NumpyPolicy:
        """The newest published weights in NumPy."""
        drives = live.phase == "online" and not live.rolls
        now = live.published() if drives else live.trainer.carry
        if self._shown[0] is not now:
            try:
                self._shown = now, NumpyPolicy(described(live, *live.shown()))
            except (RecipeError, NoNumpyForm) as error:
                why = getattr(error, "why", error)
                raise RunError(f"predict acts in NumPy: {why}; evaluate() plays it") from error
        assert self._shown[1] is not None
        return self._shown[1]

    def _require_online(self) -> None:
        """Hand over where that is all that is missing."""
        if self._live.phase == "pretrain":
            raise RunError("the agent is not pre-trained; call pretrain() first")
        if self._live.phase == "switch":
            self._live.hand_over()
