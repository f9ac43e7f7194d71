"""Programs that need torch: the scoring worker and the learner.

The package is installed as `mainstem.trainer`. It never imports Faust or `mainstem.streams`.
"""

if __name__ != "mainstem.trainer":
    msg = (
        f"this is the package `mainstem.trainer`, not {__name__!r}; "
        "install the project and import it by that name"
    )
    raise ImportError(msg)
