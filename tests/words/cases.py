"""Lines that are refused, and what their reader types then.

A case is a line, and for each way out what the error says, as a pattern, and the line that follows;
`{0}`, `{1}` are what the pattern caught: numbers, options and commands come from the error's own
words. Lines before the refused one, or before the fixed one, are typed first.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from belongings import OWN_ENV, rows_of, write_hdf5
from commands import ROOT

Case = tuple[str, tuple[tuple[str, str], ...]]
RUN = "run sac --env Pendulum-v1"
ACT = "actor --connect 127.0.0.1:8200 --env Pendulum-v1 --go"
LEARN = "learner sac --env Pendulum-v1"
WALK = "data info walk.npz"
THEN = " ; "
"""Between lines that are typed one after the other."""


def case(line: str, *ways: str) -> Case:
    """`ways` are patterns and lines in turn."""
    return line, tuple(zip(ways[::2], ways[1::2], strict=True))


CASES = [
    # a policy of one's own
    case(
        "run residual jax-pointmass",
        r"name it with (--policy) .*: (\S+),",
        "run residual jax-pointmass {0} {1}",
    ),
    case(
        "run sac jax-pointmass --policy my_arm.py:policy",
        r"take the method (residual),",
        "run {0} jax-pointmass --policy my_arm.py:policy",
        r"with (--set \S+ --set \S+)$",
        "run sac jax-pointmass --policy my_arm.py:policy {0}",
    ),
    # chunks that no episode is long enough for
    case(
        "run qc --env Pendulum-v1 --data walk.npz --preset quick --set length=20",
        r"with (--set length=\d+)$",
        "run qc --env Pendulum-v1 --data walk.npz --preset quick {0}",
    ),
    case(
        "run rlpd_chunks --env Pendulum-v1 --data walk.npz --preset quick --set length=300",
        r"with (--set length=\d+)$",
        "run rlpd_chunks --env Pendulum-v1 --data walk.npz --preset quick --set length=2",
    ),
    # what is typed
    case("--seeds 0", r"See `warmstart (--help)`", "{0}"),
    case("rum sac two-rooms", r"See `warmstart (--help)`", "{0}"),
    case(
        "run sac two-rooms --env Pendulum-v1",
        "--env Pendulum-v1 .*; leave one of them out",
        "run sac two-rooms",
        "leave one",
        RUN,
    ),
    case(
        "run sac",
        r"`warmstart (list tasks)`",
        "{0}",
        "give one of",
        "run sac two-rooms",
        r"or (--env) with (--data)",
        "run sac {0} Pendulum-v1 {1} my.hdf5",
    ),
    case(
        "run iql two-rooms --view qlearning",
        r"with (--data)",
        "run iql hopper --view qlearning {0} my.hdf5",
    ),
    case(
        "show runs/done",
        r"its page with warmstart (report \S+),",
        "{0}",
        r"its method with warmstart (show \S+)$",
        "{0}",
    ),
    case(f"{RUN} --discount 2", r"in \(0, (1)\]", f"{RUN} --discount {{0}}"),
    case(f"{RUN} --horizon 0", "give a number of steps", f"{RUN} --horizon 1"),
    case(f"{RUN} --early never", r"such as (--early \S+)", RUN + " {0}"),
    case(
        f"{RUN} --steps 9000 --early 0,9500",
        r"numbers up to (\d+), or more (--steps)",
        RUN + " --steps 9000 --early 0,{0}",
        r"early=(\d+) .* or more (--steps)",
        RUN + " {1} {0} --early 0,{0}",
    ),
    case(f"{ACT} --timeout=-1", r"(--timeout) .*seconds, or (0)", ACT + " {0} {1}"),
    case(f"{ACT} --steps 0", r"(--steps) .*give (\d) or more", ACT + " {0} {1}"),
    case(f"{ACT} --most-mb 9999", r"a number up to (4000)", ACT + " --most-mb {0}"),
    case(f"{ACT} --limits all", r"each: (--limits=\S+)$", ACT + " {0}"),
    case(f"{ACT} --rate fast", r"action: (--rate \S+)$", ACT + " {0}"),
    case(f"{ACT} --hz 2000", r"(--hz) up to (\d+)", ACT + " {0} {1}"),
    case(f"{LEARN} --publish-every 0", r"give (1) or more", LEARN + " --publish-every {0}"),
    case(
        "learner runs/before --preset quick --seed 2",
        r"(--seed) was settled .*; leave it out",
        "learner runs/before --preset quick",
    ),
    case("serve", r"warmstart (serve) FOLDER", "{0} runs/before"),
    case("serve runs/before --most-mb 0", r"(--most-mb) .*positive", "serve runs/before {0} 8"),
    case(
        "serve runs/before --host 0.0.0.0",
        r"give a token, with (--token)",
        "serve runs/before --host 0.0.0.0 {0} 0123456789abcdef",
        "leave --host out",
        "serve runs/before",
    ),
    case(
        "serve runs/before runs/done --link 127.0.0.1:0 --token 0123456789abcdef",
        r"give one with (--link)",
        "serve runs/before {0} 127.0.0.1:0 --token 0123456789abcdef",
    ),
    case("serve runs/before --host a..b", r"another (--host)", "serve runs/before {0} localhost"),
    case("serve runs/before --port 70000", r"to (\d+) with (--port)", "serve runs/before {1} {0}"),
    case(f"{RUN} --seeds one", r"such as (--seeds \S+)", RUN + " {0}"),
    case(f"{RUN} --seeds 0,0", r"such as (--seeds \S+)", RUN + " {0}"),
    case(f"{RUN} --reference 5", r": (--reference \S+)", RUN + " {0}"),
    case(
        f"{RUN} --data my.hdf5 --action-box 1", r": (--action-box=\S+)", RUN + " --data my.hdf5 {0}"
    ),
    case(f"{RUN} --holdout 1", r"a share in \[(0)", RUN + " --holdout {0}"),
    case(f"{RUN} --name a/b", r"with (--root)", RUN + " --name b {0} a"),
    case(f"{RUN} --set a", r"write (--set) name=value", RUN + " {0} finetune.steps=20000"),
    case(
        "run sac two-rooms --discount 0.9",
        r"leave (--\w+) out, or",
        "run sac two-rooms",
        r"or use (--env) instead",
        "run sac {0} Pendulum-v1 --discount 0.9",
    ),
    case(f"{RUN} --success-when falling", r"as in (--success-when '.*?')", RUN + " {0}"),
    case(f"{RUN} --episodes 0", r"(--episodes) 0 cannot be used; give (\d)", RUN + " {0} {1}"),
    case(f"{RUN} --threads 0", r"(--threads) .* give (\d)", RUN + " {0} {1}"),
    case(f"{RUN} --at-once 0", r"give (\d) or more, with (--at-once)", RUN + " {1} {0}"),
    case(
        f"{RUN} --fixed-episodes 0",
        r"give (\d) or more",
        RUN + " --fixed-episodes {0}",
        r"a robot alone \((--physical)",
        RUN + " --fixed-episodes 0 {0}",
    ),
    case(f"{RUN} --physical --seeds 0,1", r"such as (--seeds \d)", RUN + " --physical {0}"),
    case(
        "run sac two-rooms --pretrain-steps 5",
        r"leave (--pretrain-steps)",
        "run sac two-rooms",
        r"such as (pretrain=\w+)",
        "run sac two-rooms --pretrain-steps 5 --set {0}",
    ),
    case("pretrain sac two-rooms", r"use `warmstart (run sac)`", "{0} two-rooms"),
    # what would learn nothing, or could not end
    case(
        "run wsrl two-rooms --steps 500",
        r"give (--steps \d+)",
        "run wsrl two-rooms {0}",
        r"or (--set \S+=\d+)",
        "run wsrl two-rooms --steps 500 {0}",
    ),
    case(
        "run gcql pointmaze-large --preset paper --steps 900",
        r"give (--steps \d+)",
        "run gcql pointmaze-large --preset paper {0}",
        r"or (--set \S+=\d+)",
        "run gcql pointmaze-large --preset paper --steps 900 {0}",
    ),
    case(
        "run sac --env endless.py:Endless-v0",
        r"with (--horizon) N",
        "run sac --env endless.py:Endless-v0 {0} 50",
    ),
    case("run iql --env Pendulum-v1", r"pass (--data)", "run iql --env Pendulum-v1 {0} my.hdf5"),
    case(
        "run iql --env Pendulum-v1 --data one.hdf5",
        r"pass (--holdout 0)",
        "run iql --env Pendulum-v1 --data one.hdf5 {0}",
    ),
    # runs that go on
    case(
        "resume runs/done --steps 5",
        "give the new number of steps in all",
        "resume runs/done --steps 20000",
    ),
    case("resume runs/before --steps 20000", r"from it: warmstart (finetune .*)$", "{0}"),
    case(
        "resume runs/done",
        r"warmstart (resume runs/done --steps) N",
        "{0} 30000",
        "make a report",
        "report runs/done",
    ),
    case("resume runs", "the folder that `warmstart run` named", "resume runs/stopped"),
    case("finetune wsrl --from runs/branched", r"give (--from \S+)", "finetune wsrl {0}"),
    case(
        "finetune wsrl --from runs/before --set bc_weight=0.5",
        r"leave it out, or give it to `warmstart (pretrain \w+)`",
        "{0} jax-pointmass --set bc_weight=0.5",
    ),
    case("report nothing", "the folder that `warmstart run` named", "report runs/done"),
    case("report", r"warmstart (report runs)/NAME", "{0}/done"),
    case("evaluate runs/done --episodes 0", "give 1 or more", "evaluate runs/done --episodes 1"),
    # data: the commands
    case(
        "data check my.hdf5 --env Pendulum-v1 --task two-rooms",
        "leave one of them out",
        "data check my.hdf5 --env Pendulum-v1",
    ),
    case(
        "data check my.hdf5 --env-arg g=9.8",
        r"give (--env) too",
        "data check my.hdf5 --env-arg g=9.8 {0} Pendulum-v1 --json",
        "or leave it out",
        "data check my.hdf5 --json",
    ),
    case(
        "data convert my.hdf5 --out there --env-arg g=9.8",
        r"give (--env) too",
        "data convert my.hdf5 --out there --env-arg g=9.8 {0} Pendulum-v1",
    ),
    case(
        "data check jax-pointmass --physical",
        r"leave (--physical) out",
        "data check jax-pointmass --json",
        r"or use (--env)",
        "data check my.hdf5 --physical {0} Pendulum-v1 --json",
    ),
    case(
        "data check my.hdf5 --preset quick",
        r"give (--method) too",
        "data check my.hdf5 --preset quick {0} iql --json",
    ),
    case(
        "data convert my.hdf5",
        r"either (--out) FOLDER",
        "data convert my.hdf5 {0} there",
        r"or (--minari) ID",
        "data convert my.hdf5 --env Pendulum-v1 {0} own/one-v0",
    ),
    case(
        "data make hopper-medium-replay --seed 3",
        "Leave --size, --episodes and --seed out",
        "data make hopper-medium-replay",
    ),
    case("data check hopper-medium-replay", r"`warmstart (data make \S+)`", "{0}"),
    case("study run wsrl --hours 0", "give more than 0", "study run wsrl --hours 1"),
    case("study run wsrl --diagnose-every 0", r"give (\d)", "study run wsrl --diagnose-every {0}"),
    case("study run wsrl --workers 0", r"give (\d)", "study run wsrl --workers {0}"),
    case("study run wsrl --steps 0", r"give (\d)", "study run wsrl --steps {0}"),
    case(
        "study run wsrl --tasks ,",
        "give names",
        "study run wsrl --tasks pointmaze-medium",
        "leave it out",
        "study run wsrl",
    ),
    case("study show wsrl --seeds 0", r"give (\d)", "study show wsrl --seeds {0}"),
    # what a file says, and in which of its columns
    case(f"{WALK} --columns reward=pair", r"with (--columns)", WALK + " {0} reward=reward"),
    case(f"{WALK} --columns reward=name", r"with (--columns)", WALK + " {0} reward=reward"),
    case(f"{WALK} --columns obs=name", r"with (--columns)", WALK + " {0} obs=obs"),
    case(f"{WALK} --columns done=two", r"with (--columns)", WALK + " {0} done=terminated"),
    case(f"{WALK} --columns mask=two", r"with (--columns done)=NAME", WALK + " {0}=terminated"),
    case(f"{WALK} --columns obs=obs,obs=pair", r"as in (\S+)\.$", WALK + " --columns {0}"),
    case(
        "data info plain.npz --columns nonsense",
        r"such as (--columns '.*')",
        "data info plain.npz {0}",
    ),
    case(f"{WALK} --obs-offset=0,0", r"(--obs-offset) .* give one for each", WALK + " {0}=0,0,0"),
    case(
        f"{RUN} --data my.hdf5 --obs-offset=0,0",
        r"(--obs-offset) .* give one for each",
        RUN + " --data my.hdf5 {0}=0,0,0",
    ),
    case(
        "run cal_ql jax-pointmass --data my.hdf5 --obs-offset=0,0,0,0",
        "leave --obs-offset",
        "run cal_ql jax-pointmass --data my.hdf5",
    ),
    case(
        "data info bare.npz",
        r"with (--columns) reward=NAME,done=NAME",
        "data info bare.npz {0} reward=r,done=ended",
        r"(--view success-at-end).*(done=never)",
        "data info bare.npz {0} --columns {1},episode=run",
    ),
    case(
        f"{WALK} --view done-is-any-end",
        r"with (--columns truncated)=NAME",
        WALK + " --view done-is-any-end {0}=cut",
    ),
    case(
        "data info stream.npz --view success-at-end",
        r"with (--columns episode)=NAME",
        "data info stream.npz --view success-at-end {0}=run",
        "a folder with a file for each",
        "data info streams --view success-at-end",
    ),
    case(
        "data info turns.npz",
        r"with (--columns episode)=NAME \(.*and sort by it",
        "data info sorted.npz {0}=env",
    ),
    case("data info uneven", r"with (--columns)", "data info uneven {0} obs=obs_0+obs_1"),
    case(
        "data info walk.csv --columns reward=who",
        r"with (--columns)",
        "data info walk.csv {0} reward=reward",
    ),
    case("data info lists.jsonl", r"with (--columns)", "data info lists.jsonl {0} obs=seen"),
    case("data info huge.hdf5", r"with (--columns)", "data info huge.hdf5 {0} obs=small"),
    case("data info pointer.npz", "the data themselves were not fetched", WALK),
    case(
        "data info lerobot",
        r"with (--view success-at-end)",
        "data info lerobot {0}",
        r"with (--columns) reward=NAME",
        "data info lerobot {0} reward=index",
    ),
    case(
        "data info pen",
        r"name one with (--view rlpd)",
        "data info pen {0}",
        r"or (--view cal-ql)",
        "data info pen {0}",
    ),
    # folders that we wrote
    case(
        f"data convert walk.npz --out a{THEN}data info a --columns reward=r",
        r"leave (--columns)",
        "data info a",
    ),
    case(
        f"data convert walk.npz --out a{THEN}data info a --obs-offset=1,1,1",
        r"again, with (--obs-offset)",
        f"data convert walk.npz {{0}}=1,1,1 --out c{THEN}data info c {{0}}=1,1,1",
    ),
    case(
        f"data convert walk.npz --obs-offset=1,1,1 --out b{THEN}data info b",
        r"give (--obs-offset=\S+)",
        "data info b {0}",
    ),
    case(
        "data convert walk.npz --obs-offset=1,1,1 --minari own/walk-v0",
        "without --obs-offset",
        "data convert walk.npz --minari own/walk-v0",
    ),
]

ENDLESS = OWN_ENV.replace("NAME", "Endless-v0").replace(", max_episode_steps=200", "")


def lay_out(folder: Path) -> None:
    """The files that the lines name."""
    rng, at = np.random.default_rng(0), np.arange(40)
    seen, action = rng.normal(size=(40, 3)), rng.uniform(-1, 1, (40, 1))
    runs, reward = at // 10, rng.normal(size=40)
    ends = (at % 10 == 9).astype(int)
    walk = {"obs": seen, "action": action, "reward": reward, "terminated": ends}
    more = {"pair": seen[:, :2], "name": np.array(["anna"] * 40), "two": ends * 2, "cut": ends}
    plain = {"state_0": at / 40, "cmd_0": action[:, 0], "r": reward, "terminal": ends}
    turns = {**walk, "terminated": 0 * ends, "step": at // 2, "env": at % 2}
    order = np.argsort(turns["env"], kind="stable")
    files = {
        "walk": {**walk, **more},
        "plain": plain,
        "bare": {"obs": seen, "action": action, "r": reward, "ended": ends, "run": runs},
        "stream": {"obs": seen, "action": action, "run": runs},
        "turns": turns,
        "sorted": {name: values[order] for name, values in turns.items()},
    }
    for name, columns in files.items():
        np.savez(folder / f"{name}.npz", **columns)
    (folder / "streams").mkdir()
    for run in range(4):
        np.savez(folder / "streams" / f"{run}.npz", obs=seen[run::4], action=action[run::4])
    cells = zip(seen[:, 0], action[:, 0], reward, ends, strict=True)
    rows = [",".join(map(str, numbers)) + ",anna" for numbers in cells]
    head = "obs_0,action_0,reward,terminated,who"
    (folder / "walk.csv").write_text("\n".join([head, *rows]) + "\n")
    (folder / "uneven").mkdir()
    for name, more_ in (("a", ""), ("b", ",obs_2")):
        cells = "1,2,0.5,0,0" + more_.replace("obs_2", "3")
        head = f"obs_0,obs_1,action_0,reward,terminated{more_}"
        (folder / "uneven" / f"{name}.csv").write_text("\n".join([head, *[cells] * 9]) + "\n")
    line = {"obs": [], "seen": [0.5], "action": [0.1], "reward": 1.0, "terminated": 0}
    (folder / "lists.jsonl").write_text("\n".join([json.dumps(line)] * 9) + "\n")
    with h5py.File(folder / "huge.hdf5", "w") as file:
        file.create_dataset("observations", (10**9, 1000), np.float32, chunks=(10**4, 1000))
        for name, values in {**walk, "small": seen}.items():
            file[{"obs": "other"}.get(name, name)] = values
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    (folder / "pointer.npz").write_text(pointer)
    writers = runpy.run_path(str(ROOT / "tests" / "data" / "writers.py"))
    writers["write_lerobot"](folder / "lerobot", **{"next.reward": None, "index": range(6)})
    _adroit(folder / "pen", writers)
    (folder / "endless.py").write_text(ENDLESS)
    write_hdf5(folder / "one.hdf5", rows_of("Pendulum-v1", 1))


def _adroit(path: Path, writers: dict[str, Any]) -> None:
    """Files of Adroit-binary beside `path`, which names them together."""
    experts = [writers["expert"](3, (2,), 10 * i) for i in range(10)]
    writers["write_pickled"](path.with_name("pen2_sparse.npy"), experts)
    cloned = [writers["trajectory"](4, (3,), 10 * i) for i in range(10)]
    writers["write_pickled"](path.with_name("pen_bc_sparse4.npy"), cloned)
