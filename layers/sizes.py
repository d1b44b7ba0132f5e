"""How large a function's code is unzipped: Lambda takes 250 MB of it, all layers included."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from layers.build import BuildError

MOST_BYTES = 250 * 1024 * 1024
"""Source: "Lambda quotas", deployment package (.zip file archive) size, unzipped, with layers."""
_SHOWN = 5


def check_size(name: str, asset: Path, layers: Sequence[Path], *, most: int | None = None) -> int:
    """Return how many bytes a function's code and layers have.

    Args:
        name: of the function, for the message.
        asset: the folder with its code.
        layers: the folders of its layers.
        most: the most that Lambda takes; `MOST_BYTES` where None.

    Raises:
        BuildError: they are too many; it names the function and its heaviest packages.
    """
    most = MOST_BYTES if most is None else most
    total = sum(sum(weigh(folder).values()) for folder in (asset, *layers))
    if total <= most:
        return total
    heaviest: dict[str, int] = {}
    for layer in layers:
        for part, size in weigh(layer).items():
            heaviest[part] = heaviest.get(part, 0) + size
    told = sorted(heaviest.items(), key=lambda one: (-one[1], one[0]))[:_SHOWN]
    shown = ", ".join(f"{part} ({_show(size)})" for part, size in told)
    raise BuildError(
        f"the function '{name}' has {_show(total)} of code, and Lambda takes {_show(most)} with its layers; the "
        f"heaviest packages are {shown}: name fewer in packages= of @tool, smaller ones, or make two tools of it"
    )


@cache
def weigh(folder: Path) -> dict[str, int]:
    """Return the bytes of a folder of code by the package that they belong to. Builds never change, so it is kept.

    Args:
        folder: a layer's, with packages below ``python/``, or a function's.
    """
    top = folder / "python" if (folder / "python").is_dir() else folder
    found: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            inside = path.relative_to(top) if path.is_relative_to(top) else path.relative_to(folder)
            # numpy.libs and numpy-2.1.dist-info are numpy's.
            part = inside.parts[0].partition(".")[0].partition("-")[0]
            found[part] = found.get(part, 0) + path.stat().st_size
    return found


def _show(size: int) -> str:
    return f"{size / 1024 / 1024:.0f} MB"
