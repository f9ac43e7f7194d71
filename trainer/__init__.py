"""Programs that need torch: scoring and learning. Installed as `mainstem.trainer`; they never import Faust."""

if __name__ != "mainstem.trainer":
    msg = f"this is the package `mainstem.trainer`, not {__name__!r}; install the project and import it by that name"
    raise ImportError(msg)
