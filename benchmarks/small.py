"""`python -m benchmarks.small --against FOLDER`: updates of small networks, 128 x 128, batch 128.

FOLDER is a checkout of another commit. The online update of WSRL (`quick`, four critics with
LayerNorm, one step an update), SAC, TD3 and IQL is measured in both trees in turn, in processes of
their own, `--pairs` times; the table gives medians, and the median ratio of the pairs. Without
`--against` this tree alone is measured.
"""

from __future__ import annotations

from benchmarks.turns import in_turn, parser_of

MEASURE = """
import json, sys
from warmstart.methods import METHODS
from benchmarks.updates import update_ms
found = {}
for name in sys.argv[1].split(","):
    same = {"ratio": 1, "layer_norm": "critic"} if name == "wsrl" else {}
    found[name] = update_ms(METHODS[name].recipe("quick", **same).finetune.learner, 1, 5)[0]
print(json.dumps(found))
"""


def main() -> None:
    """Measure in turn, and print the table."""
    parser = parser_of(__doc__, 3)
    parser.add_argument("--methods", default="wsrl,sac,td3,iql")
    given = parser.parse_args()
    in_turn(given, "ms", MEASURE, given.methods)


if __name__ == "__main__":
    main()
