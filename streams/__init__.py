"""Programs that move events between Kafka and the history.

The package is installed as `mainstem.streams`. It never imports torch or `mainstem.trainer`.
"""

if __name__ != "mainstem.streams":
    msg = (
        f"this is the package `mainstem.streams`, not {__name__!r}; "
        "install the project and import it by that name"
    )
    raise ImportError(msg)
