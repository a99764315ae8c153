"""Findings about sizes, types, observations and actions."""

from __future__ import annotations

from warmstart.data.checks.issue import Issue

COLUMNS: dict[str, Issue] = {
    # sizes and types
    "no-rows": Issue("error", "The dataset is empty.", "Log at least one episode.", fatal=True),
    "unequal-columns": Issue(
        "error",
        "Columns differ in length, or have one axis too many or too few.",
        "Write one row a step in every column: two axes for observations and actions, else one.",
        fatal=True,
    ),
    "few-rows": Issue(
        "warning, note",
        "There are fewer than 50 rows (warning) or 1,000 (note): most methods need many thousands.",
        "Log more episodes.",
        vain=True,
    ),
    "wrong-types": Issue(
        "error, warning",
        "A column holds no numbers (error), or other types than float32 and bool, which costs "
        "memory or precision (warning).",
        "Store float32 numbers, and booleans for terminated and truncated.",
    ),
    "other-observation-size": Issue(
        "error",
        "The environment's observations have another size.",
        "Use the environment, version and keyword arguments that the data were logged in.",
        fatal=True,
    ),
    "other-observation-order": Issue(
        "warning",
        "The data's vectors stand in another order than the environment's, by their names or by "
        "where episodes start: the sizes agree, and every number means something else.",
        "Write the numbers of an observation in the order in which the environment observes them; "
        "a Dict is joined in sorted order of its keys.",
    ),
    "other-action-size": Issue(
        "error",
        "The environment's actions have another size.",
        "Use the environment, version and keyword arguments that the data were logged in.",
        fatal=True,
    ),
    "other-environment": Issue(
        "warning",
        "The data name another environment than the one they are compared with.",
        "Use the one that they name, unless you mean to transfer between the two.",
    ),
    "no-environment": Issue(
        "note",
        "Nothing was compared with an environment.",
        "Name it with --env or --task, so that sizes, limits, rewards and dynamics are compared.",
    ),
    # numbers
    "not-finite": Issue(
        "error",
        "Numbers that are NaN, infinite or too large for float32: one of them in a batch spoils "
        "every weight.",
        "Remove the episodes with these rows and look for the cause in the logger.",
    ),
    "wild-observations": Issue(
        "error, warning",
        "A few observations lie a thousand times as far from the middle as 99 % of their column, "
        "or one number that comes again and again as far as from all others: faults of a sensor, "
        "or a number that stands for none (-9,999). An error where their squares are "
        "not finite in float32: one of them in a batch spoils every weight.",
        "Remove the episodes with these rows, or fix the numbers, and look for the cause in the "
        "logger.",
    ),
    "precision-lost": Issue(
        "warning",
        "Numbers vary little around a large one, such as a coordinate of 4,500,000 by 0.05: "
        "float32 keeps 7 digits, and their differences are rounded away, logged and observed.",
        "Take the large number away before numbers are rounded, with --obs-offset=NUMBER,... (in "
        "Python obs_offset= of the task's data), or log the difference to a place nearby.",
    ),
    "observations-outside": Issue(
        "warning",
        "Observations, or next observations, leave the bounds that the environment declares for "
        "them: they may be normalised, in another order or unit, or of another version.",
        "Write the observations as the environment gives them, or use the version and keyword "
        "arguments that the data were logged in. If the environment's own rows lie there too, "
        "widen its observation space.",
    ),
    "observation-scale": Issue(
        "warning",
        "Some numbers of the observation are far larger than the numbers around 1 that networks "
        "are made for, and the method does not scale them: they drown all others.",
        "Let the method scale them, with --set learner.normalise=dataset (in Python "
        'changes={"learner.normalise": "dataset"}).',
    ),
    "still-observations": Issue(
        "note",
        "Some numbers of the observation are the same in every row.",
        "Nothing to do if they are constant in the task too; else look into the logger.",
    ),
    # actions
    "actions-outside": Issue(
        "error, warning",
        "Actions leave the action box, in more than 1 % of the rows (error) or fewer (warning). "
        "They are clipped when loaded, so what is learnt is not what was done.",
        "Give the limits of the logged actions with --action-box=LOW:HIGH (from Python "
        "action_box=[(LOW, HIGH)] of the task's data), or name the environment.",
    ),
    "actions-saturated": Issue(
        "warning, note",
        "Many actions lie on the border of the box: on some axis more than nine in ten (warning) "
        "or one in four (note). A tanh policy can only approach them.",
        "Look whether they were scaled twice. Bang-bang controllers do act so: then nothing.",
    ),
    "actions-still": Issue(
        "warning",
        "An action never changes on some axis.",
        "Nothing can be learned about it: check the logger, or drop the axis from the task.",
    ),
    "actions-tiny": Issue(
        "warning",
        "Actions stay in the inner fifth of the box on some axis.",
        "Look whether they were scaled by a box that they were never in.",
    ),
    "action-coverage": Issue(
        "note",
        "How much of the box the actions fill, axis by axis.",
        "Nothing to do; where little is covered, what is outside cannot be valued offline.",
    ),
}
