"""`python -m benchmarks.rehearsal` (`make rehearsal`): an arm and its learner, before there is one.

A Meta-World arm whose commands take effect 50 to 100 ms late (`benchmarks/delayed_arm.py`) is
driven at 10 Hz, with limits of its actions, while WSRL (preset `quick`) learns from it, beginning
on the task's logged episodes.

In real time, in two processes: `--steps` steps (5,000: eight minutes and a half, behind the
pre-training), with nothing else on the machine. Prints as JSON the deadlines that were missed, how
long the learner took to have a step and to have learnt from it, and the steps made, logged and
learnt from; the exit code is 1 where these differ.

With `--virtual` the same two sides, over the same sockets, in one process on a clock of their own:
it stands still while anything is worked out, so that it runs as fast as the machine and does the
same each time. The learner takes `--lesson-ms` for the updates of a step, and a message
`--link-ms`. Compared with the synchronous run (`warmstart run wsrl metaworld-door-open`) and with
a synchronous loop on the late arm, from the same pre-training, for each of `--seeds`; scored on
the arm as it is and on the late one. Each part is written to `--json` when it is done, and is not
done again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.delayed_arm import (
    DELAY,
    HZ,
    LIMITS,
    TOKEN,
    DelayedArm,
    actor_side,
    opened,
    reset_seed,
)
from warmstart.files.durable import write_json_atomic

METHOD, TASK = "wsrl", "metaworld-door-open"
KEPT = Path(__file__).with_name("rehearsal.json")
EVALUATED = 1_000_000
"""Episodes of an evaluation are reset as training episodes of these numbers, which none reaches."""
SPARING: dict[str, Any] = {
    "fixed_episodes": 1,
    "offline_every": 0,
    "online_every": 0,
    "early": (),
    "films": False,
    "compare": False,
}
"""A run that is hardly looked at: what is learnt depends on no evaluation."""
PATIENCE = 120.0
"""Seconds on the real clock in which a step has to reach the learner."""


def learner_side(agent: Any, steps: int, say: Callable[[str], None]) -> dict[str, Any]:
    """The learner's process, until it has learnt from so many steps; what it did.

    `say` hears the address.
    """
    import warmstart as ws

    with agent, ws.Learner(agent, "127.0.0.1:0", token=TOKEN) as learner:
        say(learner.address)
        learner.run(steps=steps)
    return learner.report()


def in_real_time(folder: Path, words: Sequence[str]) -> dict[str, Any]:
    """Both processes, which are given the same words; what happened."""
    here = [sys.executable, "-m", "benchmarks.rehearsal", *words, "--folder", str(folder), "--side"]
    learner = subprocess.Popen([*here, "learner"], stdout=subprocess.PIPE, text=True)
    assert learner.stdout is not None
    try:
        address = learner.stdout.readline().strip()
        if not address:
            raise SystemExit("the learner ended before it listened; see above")
        print(f"the learner listens on {address}; the arm moves", file=sys.stderr, flush=True)
        acted = subprocess.run(
            [*here, "actor", "--address", address], stdout=subprocess.PIPE, text=True, check=True
        )
        learnt = learner.communicate(timeout=60)[0]
    finally:
        learner.kill()
        learner.wait()
    return {"actor": json.loads(acted.stdout), "learner": json.loads(learnt)}


def summary(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be known of a rehearsal in real time."""
    acted, learnt = told["actor"], told["learner"]
    pace = acted["pace"]
    ticks = pace["in_time"] + pace["missed"]
    same = acted["made"] == acted["logged"] == learnt["steps"] == learnt["safe"]
    return {
        "hz": pace["hz"],
        "ticks": ticks,
        "missed": pace["missed"],
        "missed_percent": round(100.0 * pace["missed"] / max(1, ticks), 3),
        "worst_late_ms": pace["worst_late_ms"],
        **{name: acted[name] for name in ("delay_ms", "own_ms", "had_ms", "learnt_ms")},
        "episodes": acted["episodes"],
        "limited": acted["limited"],
        "made": acted["made"],
        "logged": acted["logged"],
        "learnt": learnt["steps"],
        "on_disk": learnt["safe"],
        "doubled": learnt["doubled"],
        "updates": learnt["updates"],
        "weights": acted["weights"],
        "good": same and not learnt["doubled"],
    }


class Coupled:
    """A clock of both sides, which the actor's waiting moves on.

    What the learner would have done by then is done first, and what it sends by then has come:
    the lesson of a step begins when the step is there and the lesson before is over.

    Args:
        lesson: seconds that the learner takes for a step.
        link: seconds of a message.

    Attributes:
        published: of each version of the weights, how many steps it has learnt from.
    """

    def __init__(self, lesson: float, link: float) -> None:
        self._lesson, self._link = lesson, link
        self._now = self._free = 0.0
        self._learnt = 0
        self._arm: Any = None
        self._learner: Any = None
        self._actor: Any = None
        self.published: dict[int, int] = {}

    def couple(self, arm: DelayedArm, learner: Any, actor: Any) -> None:
        """Whose clock it is."""
        self._arm, self._learner, self._actor = arm, learner, actor

    def now(self) -> float:
        """Seconds since the start."""
        return self._now

    def sleep_until(self, moment: float) -> None:
        """Let it be this moment, unless it is later."""
        made = self._arm.answered
        while self._learnt < len(made):
            over = max(self._free, made[self._learnt] + self._link) + self._lesson
            if over + self._link > moment:
                break
            self._free = over
            self.learn(self._learnt + 1)
        self._now = max(self._now, moment)

    def learn(self, steps: int) -> None:
        """The learner learns from so many steps in all, and its newest weights arrive."""
        session, before = self._actor._session, self._learner._newest
        version, until = session.version, time.monotonic() + PATIENCE
        told = self._learner.run(steps=steps, seconds=PATIENCE)
        while self._learner._newest is not before and session.version == version:
            if session.failed is not None or time.monotonic() > until:
                break
            time.sleep(0.0005)
        if told["steps"] < steps or time.monotonic() > until:
            raise session.failed or RuntimeError("the link stands still")
        if self._learner._newest is not before:
            self.published[session.version] = steps
        self._learnt = steps


def on_a_virtual_clock(
    agent: Any,
    arm: Callable[[Coupled], DelayedArm],
    folder: Path,
    steps: int,
    lesson: float,
    link: float,
    limits: Any = LIMITS,
    **more: Any,
) -> dict[str, Any]:
    """Both sides on one clock; what happened. The agent has learnt from every step.

    `more` as of `ws.Learner`.
    """
    import warmstart as ws
    from warmstart.link.frames import frame_at
    from warmstart.link.steplog import StepLog

    clock = Coupled(lesson, link)
    made = arm(clock)
    with ws.Learner(agent, "127.0.0.1:0", token=TOKEN, **more) as learner:
        actor = ws.Actor(
            made, learner.address, token=TOKEN, folder=folder, hz=1.0 / made.period,
            limits=limits, timeout=None, clock=clock,
        )  # fmt: skip
        clock.couple(made, learner, actor)
        told = actor.run(steps, go=True)
        learner.run(steps=steps, seconds=PATIENCE)
        learnt = learner.report()
    log = StepLog(folder)
    ages = []
    for held in log.read(0, sys.maxsize):
        step = frame_at(held, 0)[0].told
        if step["weights"] in clock.published:
            ages.append(step["number"] - clock.published[step["weights"]])
    log.close()
    return {
        "steps": learnt["steps"],
        "updates": learnt["updates"],
        "episodes": told["episodes"],
        "limited": told["limited"],
        "missed": told["pace"]["missed"],
        "weights_age_steps": round(float(np.mean(ages)), 2) if ages else None,
        "doubled": learnt["doubled"],
    }


def in_one_process(agent: Any, arm: DelayedArm, steps: int, limits: Any = LIMITS) -> dict[str, Any]:
    """The same arm without a link: each step is learnt from before the next is chosen."""
    over, episodes = True, 0
    while agent.steps < steps:
        if over:
            agent.begin(arm.reset()[0])
        sent = np.clip(agent.act(), *limits).astype(np.float32)
        obs, reward, terminated, truncated, info = arm.step(sent)
        agent.observe(obs, reward, terminated, truncated, info, action=sent)
        agent.learn()
        over = terminated or truncated
        episodes += over
    return {"steps": agent.steps, "updates": agent._live.trainer.position.updates,
            "episodes": episodes}  # fmt: skip


def played(
    policy: Callable[[Any], np.ndarray],
    arm: DelayedArm,
    seed: int,
    episodes: int,
    limits: tuple[float, float] | None,
) -> dict[str, float]:
    """Success rate (%) and steps of an episode, as evaluation acts."""
    successes, steps = 0, 0
    for number in range(episodes):
        obs, _ = arm.reset(seed=reset_seed(seed, EVALUATED + number))
        over = False
        while not over:
            action = policy(obs)
            if limits is not None:
                action = np.clip(action, *limits)
            obs, _, terminated, truncated, info = arm.step(action)
            steps += 1
            over = terminated or truncated
        successes += bool(info["success"])
    return {"success": 100.0 * successes / episodes, "length": round(steps / episodes, 1)}


class Standing:
    """A clock on which nothing takes time."""

    def now(self) -> float:
        """Always the same."""
        return 0.0

    def sleep_until(self, moment: float) -> None:
        """Come back."""


class Study:
    """The seeds of the virtual rehearsal, part by part, in one JSON file."""

    def __init__(self, path: Path, root: Path, settings: Mapping[str, Any]) -> None:
        self._path, self._root, self.settings = path, root, dict(settings)
        self.done: dict[str, Any] = {"settings": self.settings, "seeds": {}}
        if path.exists():
            self.done = json.loads(path.read_text())
            if self.done["settings"] != self.settings:
                raise SystemExit(
                    f"'{path}' has other settings ({self.done['settings']}); give another --json"
                )

    def part(self, seed: int, name: str, what: Callable[[Path], dict[str, Any]]) -> None:
        """Do it, unless it is done, in an empty folder of its own."""
        parts = self.done["seeds"].setdefault(str(seed), {})
        if name in parts:
            return
        folder = self.folder(seed, name)
        shutil.rmtree(folder, ignore_errors=True)
        began, cpu = time.monotonic(), time.process_time()
        parts[name] = {
            **what(folder),
            "seconds": round(time.monotonic() - began, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
        }
        write_json_atomic(self._path, self.done)
        print(f"seed {seed}, {name}: {parts[name]}", flush=True)

    def folder(self, seed: int, name: str) -> Path:
        """Of a part."""
        return self._root / f"seed-{seed}" / name


def virtually(study: Study, seeds: Sequence[int]) -> None:
    """Everything that is not done yet."""
    import warmstart as ws

    said = study.settings
    quiet: dict[str, Any] = {"schedule": SPARING, "progress": False}
    online: dict[str, Any] = {"steps": said["steps"], "changes": said.get("set")}

    def scores(policy: Callable[[Any], np.ndarray], seed: int) -> dict[str, Any]:
        found = {}
        for name, delay, limits in (("plain", (0.0, 0.0), None), ("late", DELAY, LIMITS)):
            arm = opened(said["task"], seed + 100, delay=delay, clock=Standing())
            found[name] = played(policy, arm, seed, said["episodes"], limits)
            arm.close()
        return found

    for seed in seeds:
        before = study.folder(seed, "pretrained")

        def pretrained(folder: Path, seed: int = seed) -> dict[str, Any]:
            place = {"root": folder.parent, "name": folder.name}
            updates = said["pretrain_steps"]
            ws.pretrain(
                METHOD, said["task"], seeds=(seed,), pretrain_steps=updates, **place, **quiet
            )
            return scores(ws.actor(folder), seed)

        def synchronous(folder: Path, seed: int = seed, before: Path = before) -> dict[str, Any]:
            place = {"root": folder.parent, "name": folder.name}
            ws.finetune(METHOD, before, **online, **place, **quiet)
            return scores(ws.actor(folder), seed)

        def late(folder: Path, seed: int = seed, before: Path = before) -> dict[str, Any]:
            with ws.Agent.finetune(
                before, folder=folder / "learner", progress=False, **online
            ) as agent:
                arm = opened(said["task"], seed, clock=Standing())
                told = in_one_process(agent, arm, said["steps"])
                return {**told, **scores(lambda obs: agent.predict(obs)[0], seed)}

        def delayed(folder: Path, seed: int = seed, before: Path = before) -> dict[str, Any]:
            with ws.Agent.finetune(
                before, folder=folder / "learner", progress=False, **online
            ) as agent:
                told = on_a_virtual_clock(
                    agent,
                    lambda clock: opened(said["task"], seed, clock=clock),
                    folder / "actor",
                    said["steps"],
                    said["lesson_ms"] / 1e3,
                    said["link_ms"] / 1e3,
                )
                return {**told, **scores(lambda obs: agent.predict(obs)[0], seed)}

        study.part(seed, "pretrained", pretrained)
        study.part(seed, "synchronous", synchronous)
        study.part(seed, "synchronous_late", late)
        study.part(seed, "two_processes", delayed)


def table(done: Mapping[str, Any]) -> str:
    """Success rates of all seeds, as Markdown."""
    lines = ["| success (%) on | the arm as it is | the late arm |", "|---|---|---|"]
    for part in ("pretrained", "synchronous", "synchronous_late", "two_processes"):
        found = [parts[part] for parts in done["seeds"].values() if part in parts]
        cells = []
        for arm in ("plain", "late"):
            each = [one[arm]["success"] for one in found]
            told = ", ".join(f"{x:.0f}" for x in each)
            cells.append(f"{np.mean(each):.0f} ({told})" if each else "")
        lines.append(f"| {part.replace('_', ' ')} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def main() -> None:
    """See the head of the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--pretrain-steps", type=int, help="updates, by default the preset's")
    parser.add_argument(
        "--set", action="append", default=[], help="NAME=VALUE, of the online phase"
    )
    parser.add_argument("--task", default=TASK)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--virtual", action="store_true")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--lesson-ms", type=float, default=60.0)
    parser.add_argument("--link-ms", type=float, default=20.0)
    parser.add_argument("--json", type=Path, default=KEPT)
    parser.add_argument("--side", choices=("learner", "actor"))
    parser.add_argument("--address")
    given = parser.parse_args()
    changes = dict(pair.split("=", 1) for pair in given.set)
    if given.side == "actor":
        arm = opened(given.task, given.seed)
        print(json.dumps(actor_side(arm, given.address, given.folder / "actor", given.steps)))
    elif given.side == "learner":
        import warmstart as ws

        agent = ws.Agent(
            METHOD,
            given.task,
            seed=given.seed,
            folder=given.folder / "learner",
            steps=given.steps,
            pretrain_steps=given.pretrain_steps,
            changes=changes,
        )
        agent.pretrain()
        told = learner_side(agent, given.steps, lambda address: print(address, flush=True))
        print(json.dumps(told))
    elif given.virtual:
        names = ("task", "steps", "pretrain_steps", "episodes", "lesson_ms", "link_ms")
        settings = {name: getattr(given, name) for name in names}
        settings |= {"method": METHOD, "hz": HZ, "delay": list(DELAY), "limits": list(LIMITS)}
        settings |= {"set": changes} if changes else {}
        root = given.folder or Path("runs/rehearsal")
        study = Study(given.json, root, settings)
        virtually(study, [int(seed) for seed in given.seeds.split(",")])
        print(table(study.done))
    else:
        with tempfile.TemporaryDirectory() as own:
            folder = given.folder or Path(own)
            folder.mkdir(parents=True, exist_ok=True)
            found = summary(in_real_time(folder, sys.argv[1:]))
        print(json.dumps(found))
        if not found["good"]:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
