"""Policies to and from the Hugging Face Hub; the extra `hub`. Nothing else calls it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from warmstart.errors import RunError
from warmstart.policy.actor import NumpyPolicy, load_policy
from warmstart.policy.folder import CARD, read_policy

WEIGHTS, BASE = "weights-*.safetensors", "base-*.onnx"
FILES = (CARD, WEIGHTS, BASE, "README.md", "model.onnx")
"""What a policy is on the Hub; whatever else lies beside it stays where it is."""


def push_to_hub(
    folder: Path | str,
    repo_id: str,
    *,
    private: bool = True,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Put an exported policy on the Hub, in one commit, and give the commit's address.

    Args:
        folder: what `warmstart.export` wrote.
        repo_id: such as "me/hopper-wsrl"; made where it is not there.
        private: whether a repository that is made is seen by you alone.
        token: None: the one that `hf auth login` keeps.
        endpoint: of another Hub than huggingface.co.

    Raises:
        RunError: no exported policy, a damaged one, the extra is missing, or the Hub refuses.
    """
    path = Path(folder)
    stored = read_policy(path)
    NumpyPolicy(stored)
    if "exported" not in stored.card or not (path / "README.md").is_file():
        raise RunError(
            f"'{path}' is a policy that has not left its run; write one for others first: "
            f"warmstart export {path} --to FOLDER"
        )
    with _asking(repo_id) as hub:
        api = hub.HfApi(endpoint=endpoint, token=token)
        api.create_repo(repo_id, private=private, exist_ok=True)
        made = api.upload_folder(
            repo_id=repo_id,
            folder_path=path,
            allow_patterns=list(FILES),
            delete_patterns=[WEIGHTS, BASE, "model.onnx"],  # of the policy before
            commit_message=f"{stored.card['method']}, seed {stored.card['seed']}",
        )
    return made.commit_url


def from_hub(
    repo_id: str,
    *,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> NumpyPolicy:
    """The policy of a repository on the Hub; it is kept in the Hub's own cache.

    Args:
        repo_id: such as "me/hopper-wsrl".
        revision: a branch, tag or commit; None: the newest.
        token: as of `push_to_hub`.
        endpoint: the same.

    Raises:
        RunError: no such repository or revision, no policy in it, a damaged one, the extra is
            missing, or the Hub does not answer.
    """
    with _asking(repo_id) as hub:
        place = hub.snapshot_download(
            repo_id,
            revision=revision,
            allow_patterns=list(FILES[:3]),
            token=token,
            endpoint=endpoint,
        )
    return load_policy(place)


@contextmanager
def _asking(repo_id: str) -> Iterator[Any]:
    """huggingface_hub, whatever goes wrong with which is one sentence."""
    try:
        import huggingface_hub  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise RunError(
            "huggingface_hub is not installed: run `pip install 'warmstart[hub]'`."
        ) from error
    try:
        yield huggingface_hub
    except Exception as error:  # its own, its HTTP library's, and the network's
        said = " ".join(str(error).split()) or type(error).__name__
        raise RunError(
            f"the Hub refuses '{repo_id}', or does not answer: {said[:300]}; check the name, your "
            "token and the network, then try again"
        ) from error
