"""Every finding by its stable name: how bad it can be, what it means, what to do.

docs/data.md holds the same lines; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Illness:
    """What one name stands for.

    Attributes:
        grades: every grade that it can have, the worst first, as in the documentation.
        meaning: what is so, and why it matters.
        fix: what to do.
        fatal: an error that no run can do without, so that it cannot be ignored.
    """

    grades: str
    meaning: str
    fix: str
    fatal: bool = False


ILLNESSES: dict[str, Illness] = {
    # sizes and types
    "no-rows": Illness("error", "The dataset is empty.", "Log at least one episode.", fatal=True),
    "unequal-columns": Illness(
        "error",
        "Columns differ in length, or have one axis too many or too few.",
        "Write one row a step in every column: two axes for observations and actions, else one.",
        fatal=True,
    ),
    "wrong-types": Illness(
        "error, warning",
        "A column holds no numbers (error), or other types than float32 and bool, which costs "
        "memory or precision (warning).",
        "Store float32 numbers, and booleans for terminated and truncated.",
    ),
    "other-observation-size": Illness(
        "error",
        "The environment's observations have another size.",
        "Use the environment, version and keyword arguments that the data were logged in.",
        fatal=True,
    ),
    "other-action-size": Illness(
        "error",
        "The environment's actions have another size.",
        "Use the environment, version and keyword arguments that the data were logged in.",
        fatal=True,
    ),
    "other-environment": Illness(
        "warning",
        "The data name another environment than the one they are compared with.",
        "Use the one that they name, unless you mean to transfer between the two.",
    ),
    "no-environment": Illness(
        "note",
        "Nothing was compared with an environment.",
        "Name it with --env or --task, so that sizes, limits, rewards and dynamics are compared.",
    ),
    # numbers
    "not-finite": Illness(
        "error",
        "NaN or infinite numbers: one of them in a batch spoils every weight.",
        "Remove the episodes with these rows and look for the cause in the logger.",
    ),
    "observations-outside": Illness(
        "warning",
        "Observations, or next observations, leave the bounds that the environment declares for "
        "them: they may be normalised, in another order or unit, or of another version.",
        "Write the observations as the environment gives them, or use the version and keyword "
        "arguments that the data were logged in. If the environment's own rows lie there too, "
        "widen its observation space.",
    ),
    "still-observations": Illness(
        "note",
        "Some numbers of the observation are the same in every row.",
        "Nothing to do if they are constant in the task too; else look into the logger.",
    ),
    # actions
    "actions-outside": Illness(
        "error, warning",
        "Actions leave the action box, in more than 1 % of the rows (error) or fewer (warning). "
        "They are clipped when loaded, so what is learnt is not what was done.",
        "Give the limits of the logged actions with --action-box=LOW:HIGH (from Python "
        "action_box=[(LOW, HIGH)] of the task's data), or name the environment.",
    ),
    "actions-saturated": Illness(
        "warning, note",
        "Many actions lie on the border of the box: on some axis more than nine in ten (warning) "
        "or one in four (note). A tanh policy can only approach them.",
        "Look whether they were scaled twice. Bang-bang controllers do act so: then nothing.",
    ),
    "actions-still": Illness(
        "warning",
        "An action never changes on some axis.",
        "Nothing can be learned about it: check the logger, or drop the axis from the task.",
    ),
    "actions-tiny": Illness(
        "warning",
        "Actions stay in the inner fifth of the box on some axis.",
        "Look whether they were scaled by a box that they were never in.",
    ),
    "action-coverage": Illness(
        "note",
        "How much of the box the actions fill, axis by axis.",
        "Nothing to do; where little is covered, what is outside cannot be valued offline.",
    ),
    # rewards
    "rewards-all-zero": Illness(
        "warning",
        "Every reward is 0: there is nothing to prefer.",
        "Relabel the rewards for your task, or add episodes that succeed.",
    ),
    "rewards-constant": Illness(
        "warning",
        "Every reward is the same number other than 0.",
        "Without contrast there is nothing to prefer: relabel the rewards for your task.",
    ),
    "reward-outliers": Illness(
        "warning",
        "Single rewards are a hundred times larger than nearly all others: the critic will learn "
        "little else.",
        "Look at these rows; clip or remove them if they are faults of the logger.",
    ),
    # order of rows
    "rows-across-borders": Illness(
        "error",
        "A row steps from the end of one episode to the start of the next: its next observation "
        "belongs to another episode, and values leak through it.",
        "Mark the last row of every episode in terminated or truncated (timeouts), or name the "
        "environment, so that its time limit can be used.",
    ),
    "next-obs-not-next-row": Illness(
        "error",
        "Inside an episode the next observation is not the next row's observation.",
        "Keep rows in the order of time and mark episode ends in terminated or truncated.",
    ),
    "next-obs-is-obs": Illness(
        "error",
        "Next observations equal the observations of the same rows: nothing that an action does "
        "can be learnt.",
        "Write what was observed after the action, or leave next observations away, so that the "
        "next row is taken.",
    ),
    "duplicate-rows": Illness(
        "warning, note",
        "Rows repeat earlier ones exactly: more than 1 % of all (warning) or fewer (note).",
        "A file may have been joined twice: remove the copies unless they are meant as weights.",
    ),
    "one-row-episodes": Illness(
        "warning",
        "Many episodes have a single row: rows were shuffled, or next observations were rounded, "
        "so that each row seems to jump.",
        "Keep rows in the order of time, and store observations and next observations alike.",
    ),
    # ends
    "terminals-at-time-limit": Illness(
        "error, warning",
        "Many episodes terminate after exactly the same number of steps: the environment's time "
        "limit (error) or the longest length (warning). A terminal says that nothing follows; a "
        "time limit does not.",
        "Mark these ends truncated, not terminated.",
    ),
    "cuts-without-limit": Illness(
        "warning",
        "No episode terminates, and most are cut at many different lengths: real ends may have "
        "been logged as time limits.",
        "If the task ended there (a fall, the goal), mark these ends terminated.",
    ),
    "longer-than-limit": Illness(
        "warning",
        "Episodes are longer than the environment's time limit: borders may be missing.",
        "Mark where episodes end, or give the time limit that the data were logged with.",
    ),
    "one-endless-episode": Illness(
        "warning",
        "All rows are one long episode.",
        "If it holds several episodes, mark where each ends in truncated.",
    ),
    "no-terminals": Illness(
        "note",
        "No episode terminates.",
        "Right for tasks without an end; else mark the ends in terminated.",
    ),
    # returns
    "returns": Illness(
        "note", "Returns of whole episodes, raw rewards, not discounted.", "Nothing to do."
    ),
    "success": Illness(
        "warning, note",
        "The share of episodes that succeed; a warning where none does.",
        "With no success, add episodes that reach the goal, or expect to explore for it online.",
    ),
    "success-partly": Illness(
        "warning",
        "Only some episodes of the file tell whether they succeed. The success rate is of those "
        "alone, and the flags of single rows are not used: what the others did, nobody knows.",
        "Write success for every step of every episode, or rely on the rewards.",
    ),
    "return-to-go": Illness(
        "note",
        "What Cal-QL's bound will be: discounted returns-to-go after the task's reward transform.",
        "Nothing to do.",
    ),
    "return-to-go-too-high": Illness(
        "warning",
        "Rewards are negative and episodes are cut, but the rule 'finite' puts 0 behind the cut: "
        "near it Cal-QL's bound is far above any value that the critic can reach.",
        "For cal_ql and wsrl take --return-rule infinite, or sparse if one reward means failure.",
    ),
    # mazes
    "place-coverage": Illness(
        "note",
        "How many free cells of the maze the data visit.",
        "Nothing to do; what was never visited has to be explored online.",
    ),
    "goal-never-reached": Illness(
        "warning",
        "No row comes within the goal's radius.",
        "Add episodes that reach the goal, or expect to explore for it online.",
    ),
    "rows-in-walls": Illness(
        "error",
        "Positions lie inside the walls of this maze: the data are from another one.",
        "Use the maze that the data were logged in.",
    ),
    # against the environment
    "not-replayable": Illness(
        "note",
        "The environment's state cannot be set from an observation, so rewards and dynamics were "
        "not compared with its own.",
        "Nothing to do; compare the returns with those that you know.",
    ),
    "replayed": Illness(
        "note",
        "A sample of rows was replayed: state set, action taken, answer compared.",
        "Nothing to do.",
    ),
    "other-dynamics": Illness(
        "warning",
        "The environment answers with other next observations than the data hold.",
        "Check version, physics, frame skip, action box and keyword arguments of the environment.",
    ),
    "reward-sign": Illness(
        "error",
        "The rewards are the environment's with the opposite sign: costs, perhaps.",
        "Multiply the rewards of the data by -1.",
    ),
    "reward-scale": Illness(
        "warning",
        "The rewards are the environment's on another scale: what is learnt offline will not fit "
        "what comes online. --reward-scale and --reward-bias change both alike and do not help.",
        "Bring the rewards of the data to the scale of the environment.",
    ),
    "reward-differs": Illness(
        "warning",
        "The environment gives other rewards for the same rows.",
        "Use the keyword arguments that the data were logged with, or relabel their rewards.",
    ),
    "reward-timing": Illness(
        "warning",
        "The rewards fit the environment's one row later or earlier: they belong to s, not to s' "
        "(late), or were shifted.",
        "Move the rewards by one row inside each episode.",
    ),
    "terminals-differ": Illness(
        "warning",
        "The environment ends other rows than those that the data mark as terminated.",
        "Mark as terminated what the environment terminates, and nothing else.",
    ),
}
"""In the order in which the documentation lists them."""
