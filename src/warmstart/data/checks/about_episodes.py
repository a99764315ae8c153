"""Findings about rewards, the order of rows, ends and returns."""

from __future__ import annotations

from warmstart.data.checks.issue import Issue

EPISODES: dict[str, Issue] = {
    # rewards
    "rewards-all-zero": Issue(
        "warning",
        "Every reward is 0: there is nothing to prefer.",
        "Relabel the rewards for your task, or add episodes that succeed.",
        vain=True,
    ),
    "rewards-constant": Issue(
        "warning",
        "Every reward is the same number other than 0.",
        "Without contrast there is nothing to prefer: relabel the rewards for your task.",
        vain=True,
    ),
    "rewards-dropped": Issue(
        "error, warning",
        "Where a file has no next observations, the last row of an episode that was cut is "
        "dropped, and its reward with it. Here these rewards differ from the others, or are all "
        "that differ (error).",
        "Where the task ends with that row, say so: a column with --columns done=NAME, such as "
        "done=success where the log marks the step at the goal, or done=last if every episode ends "
        "by itself. Else log one more row with what was observed behind it, or next observations.",
    ),
    "reward-outliers": Issue(
        "error, warning",
        "Single rewards are a hundred times larger than nearly all others: the critic will learn "
        "little else. An error where their squares are not finite in float32.",
        "Look at these rows; clip or remove them if they are faults of the logger.",
    ),
    "reward-magnitude": Issue(
        "warning",
        "Discounted returns are beyond 10,000, which a critic does not reach in the usual number "
        "of updates, or all below 0.01, which it hardly sees.",
        "Bring returns to the size of 100 with --reward-scale, for logged and new rewards alike.",
    ),
    "advantage-scale": Issue(
        "warning",
        "The method weighs actions by exp(beta A), and advantages in the units of these rewards "
        "drive nearly every weight to its limit or to 0. Only for a method that does so (IQL, "
        "AWAC), named with --method or about to run.",
        "Make the rewards smaller with --reward-scale, or the exponent milder with --set "
        "learner.improvement.beta=NUMBER.",
    ),
    # order of rows
    "rows-across-borders": Issue(
        "error",
        "A row steps from the end of one episode to the start of the next: its next observation "
        "belongs to another episode, and values leak through it.",
        "Mark the last row of every episode in terminated or truncated (timeouts), or name the "
        "environment, so that its time limit can be used.",
    ),
    "rows-interleaved": Issue(
        "warning",
        "Rows of several environments seem to take turns: each follows one several rows before it, "
        "so that next rows are no next observations and no episode is whole.",
        "Sort the rows by environment and time, and name a column with the number of the episode "
        "with --columns episode=NAME (in Python mapping=).",
    ),
    "next-obs-not-next-row": Issue(
        "error",
        "Inside an episode the next observation is not the next row's observation.",
        "Keep rows in the order of time and mark episode ends in terminated or truncated.",
    ),
    "next-obs-is-obs": Issue(
        "error",
        "Next observations equal the observations of the same rows: nothing that an action does "
        "can be learnt.",
        "Write what was observed after the action, or leave next observations out, so that the "
        "next row is taken.",
    ),
    "duplicate-rows": Issue(
        "warning, note",
        "Rows repeat earlier ones exactly: more than 1 % of all (warning) or fewer (note).",
        "A file may have been joined twice: remove the copies unless they are meant as weights.",
    ),
    "one-row-episodes": Issue(
        "warning",
        "Many episodes have a single row: rows were shuffled, or next observations were rounded, "
        "so that each row seems to jump.",
        "Keep rows in the order of time, and store observations and next observations alike.",
    ),
    # ends
    "terminals-at-time-limit": Issue(
        "error, warning",
        "Many episodes terminate after exactly the same number of steps: the environment's time "
        "limit (error) or the longest length (warning). A terminal says that nothing follows; a "
        "time limit does not.",
        "Mark these ends truncated, not terminated, unless the task ended there by itself.",
    ),
    "done-and-truncated": Issue(
        "warning, note",
        "Rows are both done and truncated, and count as real ends: half of those truncated or more "
        "(warning) or fewer (note). Where done is 1 at every end, as in the buffers of "
        "Stable-Baselines3, these are time limits.",
        "If done is 1 at every end, read the file with --view done-is-any-end (in Python view=), "
        "which takes rows that are truncated for cut.",
    ),
    "cuts-without-limit": Issue(
        "warning",
        "No episode terminates, and most are cut at many different lengths: real ends may have "
        "been logged as time limits.",
        "If the task ended there (a fall, the goal), mark these ends terminated.",
    ),
    "longer-than-limit": Issue(
        "warning",
        "Episodes are longer than the environment's time limit: borders may be missing.",
        "Mark where episodes end, or give the time limit that the data were logged with.",
    ),
    "one-endless-episode": Issue(
        "warning",
        "All rows are one long episode.",
        "If it holds several episodes, mark where each ends in truncated.",
    ),
    "no-terminals": Issue(
        "note",
        "No episode terminates.",
        "Right for tasks without an end; else mark the ends in terminated.",
    ),
    # returns
    "returns": Issue(
        "note", "Returns of whole episodes, raw rewards, not discounted.", "Nothing to do."
    ),
    "success": Issue(
        "warning, note",
        "The share of episodes that succeed; a warning where none does.",
        "With no success, add episodes that reach the goal, or expect to explore for it online.",
    ),
    "success-partly": Issue(
        "warning",
        "Only some episodes of the file tell whether they succeed. The success rate is of those "
        "alone, and the flags of single rows are not used: what the others did, nobody knows.",
        "Write success for every step of every episode, or rely on the rewards.",
    ),
    "return-to-go": Issue(
        "note",
        "What Cal-QL's bound will be: discounted returns-to-go after the task's reward transform.",
        "Nothing to do.",
    ),
    "return-to-go-too-high": Issue(
        "warning",
        "Rewards are negative and episodes are cut, but the rule 'finite' puts 0 after the cut: "
        "near it Cal-QL's bound is far above any value that the critic can reach.",
        "For cal_ql and wsrl take --return-rule infinite, or sparse if one reward means failure.",
    ),
}
