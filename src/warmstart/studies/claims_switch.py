"""Claims on what goes wrong at the switch (A) and on WSRL (B)."""

from __future__ import annotations

from warmstart.studies.bundles_switch import KEEPERS
from warmstart.studies.claim import All, Claim, either, every, fewer, more, most, not_less
from warmstart.studies.leaf import Trend

_SMALL = ("share-0", "share-5", "share-10", "share-25")


def _diverges(method: str) -> All:
    """The offline TD error grows by a factor at share 0, and the online one by less."""
    none, quarter = f"{method}-share-0", f"{method}-share-25"
    return every(
        more("peak offline TD error", none, quarter),
        more("growth of offline over online TD error", none),
    )


SWITCH: tuple[Claim, ...] = (
    Claim(
        "A1",
        True,
        "Without dataset rows online, IQL, CQL and Cal-QL lose their pre-trained score and do not "
        "win it back; with the rows kept they improve.",
        "slides, WSRL",
        "An arm without rows that ends at or above both its score before and the arm that keeps "
        "half of each batch.",
        "R1",
        every(
            *(
                every(
                    more("loss", f"{m}-share-0"),
                    more("final", f"{m}-share-50", f"{m}-share-0"),
                )
                for m in KEEPERS
            )
        ),
        "retention",
    ),
    Claim(
        "A2",
        False,
        "The smaller Cal-QL's share of offline rows (25, 10, 5, 0 %), the lower its score.",
        "slides, WSRL",
        "No rank correlation of share and early area above 0, or share 0 no worse than 25 %.",
        "R1",
        every(
            Trend("early area", tuple(f"cal_ql-{s}" for s in _SMALL)),
            more("early area", "cal_ql-share-25", "cal_ql-share-0"),
        ),
        "retention",
    ),
    Claim(
        "A3",
        True,
        "With fewer offline rows Cal-QL's critic diverges on the offline distribution while it "
        "still fits the online one.",
        "slides, WSRL",
        "A peak of the offline TD error at share 0 under 1.5 times that at 25 %, or an online TD "
        "error that rises by as much.",
        "R1",
        _diverges("cal_ql"),
        "retention",
    ),
    Claim(
        "A4",
        False,
        "The same divergence happens to IQL and CQL.",
        "slides, WSRL",
        "Either method staying under the factor of 1.5.",
        "R1",
        every(_diverges("iql"), _diverges("cql")),
        "retention",
    ),
    Claim(
        "A5",
        True,
        "At the switch without retention mean Q spirals down; when it is back the policy has "
        "unlearned.",
        "slides, WSRL",
        "A fall of mean Q under a tenth of its range, or a score that is at its old height when "
        "Q is back.",
        "R1",
        every(more("fall of Q", "cal_ql-share-0"), more("loss when Q is back", "cal_ql-share-0")),
        "retention",
    ),
    Claim(
        "A6",
        False,
        "The spiral comes from under-estimated bootstrap values at unfamiliar next states and "
        "actions.",
        "slides, WSRL",
        "A bias on unfamiliar pairs that is not negative, or a spiral that survives bootstraps "
        "replaced by true values.",
        "R10",
        unable="its second half replaces bootstraps by true values in a tabular chain; no method "
        "does that, and the bias by familiarity alone would not decide it",
    ),
    Claim(
        "A7",
        False,
        "Forgetting is worse under sparse rewards.",
        "slides",
        "A relative dip under sparse reward that is no larger than under dense.",
        "R1",
        unable="compares two tasks (the same rows with sparse and with dense reward), and a "
        "verdict here compares arms of one",
    ),
    Claim(
        "A8",
        False,
        "The cause of the drop is the gap between dataset and online states and actions.",
        "slides, WSRL, survey",
        "No rank correlation of that gap and the dip above 0.",
        "R1",
        unable="needs eight or more data sets of graded narrowness at equal scores before the "
        "switch, and a classifier of rows",
    ),
    Claim(
        "A9",
        True,
        "Keeping offline data matters mainly at the onset.",
        "WSRL",
        "Arms whose share falls to 0 that end below the arm that keeps it for ever.",
        "R1",
        every(
            not_less("final", "cal_ql-anneal-5k", "cal_ql-share-50"),
            not_less("final", "cal_ql-anneal-20k", "cal_ql-share-50"),
            more("early area", "cal_ql-anneal-20k", "cal_ql-share-0"),
        ),
        "retention",
    ),
    Claim(
        "A10",
        False,
        "Rows that have nothing to do with the task slow fine-tuning when kept.",
        "slides",
        "Keeping only the relevant rows no faster than keeping all of them.",
        "R1",
        unable="needs the same log split into rows that matter and rows that do not",
    ),
    Claim(
        "A11",
        False,
        "Going on training on a large diverse dataset is slow and costly.",
        "WSRL",
        "Costs and steps to a threshold that do not grow with the size of the data.",
        "R11",
        unable="compares sizes of one dataset up to 10 million rows, which are tasks here",
    ),
    Claim(
        "A12",
        False,
        "Kept data and pessimism cap the score that can be reached.",
        "WSRL",
        "Arms that keep the data and reach the other arms' score at three times the budget.",
        "R1",
        more("final", "td3_bc-dropped", "td3_bc-kept"),
        "td3",
        ("hopper-medium",),
    ),
)

_BASELINES = ("cal_ql-matched", "cal_ql-none", "cql-none", "iql-none", "jsrl-warm")
_KEEPING = ("rlpd-matched", "rlpd", "cal_ql-matched-half", "cal_ql-half", "cql-half", "iql-half",
            "wsrl-half")  # fmt: skip

WSRL_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "B1", True,
        "Without retention WSRL beats IQL, CQL, Cal-QL and JSRL, which often never regain their "
        "score.",
        "slides, WSRL", "A baseline without rows that equals or beats WSRL in area or at the end.",
        "R2",
        every(*(more(m, "wsrl", other) for other in _BASELINES for m in ("area", "final"))),
        "wsrl",
    ),
    Claim(
        "B2", True,
        "WSRL without data is as fast and as good as methods that keep it, or better.",
        "slides, WSRL", "An arm that keeps the data and beats WSRL in area or at the end.",
        "R2",
        every(*(not_less(m, "wsrl", other) for other in _KEEPING for m in ("area", "final"))),
        "wsrl",
    ),
    Claim(
        "B3", True, "The warm-up is essential against the initial loss.", "WSRL",
        "No difference in dip nor in early area between 5,000 warm-up steps and none.",
        "R2",
        either(fewer("dip", "wsrl", "no-warmup"), more("early area", "wsrl", "no-warmup")),
        "wsrl",
    ),
    Claim(
        "B4", False, "Very few rollouts suffice.", "WSRL",
        "20,000 warm-up steps that beat 5,000 at equal total steps.",
        "R2", not_less("area", "wsrl", "warmup-20k"), "wsrl",
    ),
    Claim(
        "B5", False, "Warm-up rows recalibrate Q to the online distribution.", "WSRL",
        "A bias on fresh rollouts that is no smaller with warm-up.",
        "R2", fewer("size of the early bias", "wsrl", "no-warmup"), "wsrl",
    ),
    Claim(
        "B6", False, "It must be the pre-trained policy's data, not just a filled buffer.",
        "slides", "Another source of as many rows that is as good.",
        "R2",
        every(
            *(
                more("area", "wsrl", f"warmup-{by}")
                for by in ("random", "untrained", "data")
            )
        ),
        "wsrl",
    ),
    Claim(
        "B7", False, "Warm-up rows lie between offline rows and later online rows.", "slides",
        "A distance of warm-up to online rows, or of offline to warm-up rows, that is not below "
        "that of offline to online rows.",
        "R2", unable="needs a held-out classifier between row sets, which no result holds",
    ),
    Claim(
        "B8", False, "Warm-up limits forgetting on the offline distribution.", "slides",
        "A peak of the offline TD error without warm-up under 1.5 times that with it.",
        "R2", more("peak offline TD error", "no-warmup", "wsrl"), "wsrl",
    ),
    Claim(
        "B9", False, "Any offline learner serves for pre-training.", "slides",
        "A pre-training other than cloning whose run never recovers.",
        "R3",
        every(*(not_less("final", f"from-{m}", "from-cal_ql") for m in ("cql", "iql", "td3_bc"))),
        "swaps",
    ),
    Claim(
        "B10", False, "Any online learner serves after the warm-up.", "slides",
        "More than one of five online learners that ends below its score before.",
        "R3",
        most(
            *(
                not_less("gain", f"online-{m}", "from-cal_ql")
                for m in ("sac", "td3", "simba", "cal_ql")
            )
        ),
        "swaps",
    ),
    Claim(
        "B11", True, "Loading the actor and loading the critic are both crucial.", "slides",
        "One of the two alone that equals both.",
        "R3",
        every(more("area", "wsrl", "actor-only"), more("area", "wsrl", "critic-only")), "wsrl",
    ),
    Claim(
        "B12", False,
        "WSRL beats JSRL even where JSRL's learner starts pre-trained with many updates a step.",
        "slides", "A warm JSRL that equals WSRL.",
        "R2", every(more("area", "wsrl", "jsrl-warm"), more("area", "wsrl", "jsrl-warm-4")),
        "wsrl",
    ),
    Claim(
        "B13", False,
        "WSRL is RLPD without offline rows, with a pre-trained start and rollouts.", "slides",
        "Fresh networks on the rollouts' buffer that equal WSRL.",
        "R2", more("area", "wsrl", "neither"),
        "wsrl",
    ),
    Claim(
        "B14", False, "It fine-tunes a real arm fast without retention.", "WSRL",
        "A rehearsal with delays that falls short of the synchronous run, or of the score before.",
        "R12", unable="needs actor and learner as two processes under delays",
    ),
    Claim(
        "B15", False, "The advantage of not retaining grows with size and diversity of the data.",
        "WSRL", "An advantage that is flat or shrinks.",
        "R11", unable="compares sizes of one dataset up to 10 million rows, which are tasks here",
    ),
)  # fmt: skip
