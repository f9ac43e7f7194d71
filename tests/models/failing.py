"""A filesystem that breaks down."""

from typing import Any


class FailingFiles:
    """A filesystem that breaks down at one of its changes, as a kill does; a write is then half done."""

    def __init__(self, files: Any, at: int) -> None:
        self._files = files
        self._left = at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._files, name)
        if name not in {"makedirs", "rm_file", "pipe_file", "mv"}:
            return found

        def change(*given: Any, **more: Any) -> Any:
            if not self._left:
                if name == "pipe_file":
                    path, content = given
                    found(path, content[: len(content) // 2])
                msg = "killed"
                raise KeyboardInterrupt(msg)
            self._left -= 1
            return found(*given, **more)

        return change
