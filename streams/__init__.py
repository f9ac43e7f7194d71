"""Programs that move events beside Kafka. Installed as `mainstem.streams`; they never import torch or `mainstem.trainer`."""

if __name__ != "mainstem.streams":
    msg = f"this is the package `mainstem.streams`, not {__name__!r}; install the project and import it by that name"
    raise ImportError(msg)
