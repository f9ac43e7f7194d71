"""Each package offers exactly the names that it lists."""

import importlib
import pkgutil

import pytest

import mainstem

PACKAGES = (
    "behaviour",
    "events",
    "evidence",
    "importance",
    "join",
    "learning",
    "responses",
    "standing",
    "store",
    "versions",
)


def modules() -> list[str]:
    """Return every module of the library."""
    found = pkgutil.walk_packages(mainstem.__path__, "mainstem.")
    return [one.name for one in found if not one.name.endswith("__main__")]


@pytest.mark.parametrize("name", modules())
def test_public_names_are_listed_in_order_and_exist(name: str) -> None:
    """`__all__` is sorted as ruff sorts it, and every name in it exists."""
    module = importlib.import_module(name)
    listed = list(getattr(module, "__all__", []))
    assert [] == [one for one in listed if not hasattr(module, one)]
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_offers_exactly_what_it_lists(name: str) -> None:
    """A package lists exactly the names that are imported into its namespace."""
    package = importlib.import_module(f"mainstem.{name}")
    inside = {one.name for one in pkgutil.iter_modules(package.__path__)}
    offered = {one for one in vars(package) if not one.startswith("_")} - inside
    assert set(package.__all__) == offered | (set(package.__all__) & inside)


@pytest.mark.parametrize("name", ["streams", "trainer"])
def test_a_program_refuses_to_be_imported_by_its_folder_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`import trainer` in the project's folder is an error that names the package."""
    monkeypatch.syspath_prepend(".")
    with pytest.raises(ImportError, match=f"mainstem.{name}"):
        importlib.import_module(name)
    assert importlib.import_module(f"mainstem.{name}").__doc__
